// What a message costs the device: log, window sync, queue, removal, and the file system's journal.

import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { MessagingAgent } from "@ivy/messaging";
import { startMosquitto } from "@ivy/messaging/testing";
import { printFigure } from "@ivy/tooling/bench";
import { BODY, startFixture, temporary } from "./support.ts";

const RATE = 10;
const SECONDS = 40;
const SECTOR = 512;

/** What Python Ivy 1.1.0 wrote for each message of this size on a machine of this kind. */
const PYTHON_BYTES = 79_000;

using folder = temporary();
const { dev } = statSync(folder.path, { bigint: true });
const device = `${(dev >> 8n) & 0xfffn} ${dev & 0xffn}`;

/** Bytes that have been written to the device since boot, by everybody. */
function written(): number {
  const line = readFileSync("/proc/diskstats", "utf8")
    .split("\n")
    .find((text) => text.trim().replace(/\s+/g, " ").startsWith(`${device} `));
  if (line === undefined) throw new Error(`/proc/diskstats does not know the device of ${folder.path}`);
  return Number(line.trim().split(/\s+/)[9]) * SECTOR;
}

async function bytesWhile(work: () => Promise<void>): Promise<number> {
  const before = written();
  await work();
  return written() - before;
}

await using broker = await startMosquitto();
const agent = new MessagingAgent({ dataDir: folder.path });
await agent.addMessage(BODY);
const forwarder = await startFixture("forward", folder.path, String(broker.port));
while (agent.getNLatestMessages(1).length > 0) await sleep(10);
await sleep(40_000);

// What everybody else writes meanwhile, for as long.
const others = await bytesWhile(() => sleep(SECONDS * 1_000));
const all = await bytesWhile(async () => {
  for (let message = 0; message < RATE * SECONDS; message++) {
    await agent.addMessage(BODY);
    await sleep(1_000 / RATE);
  }
});
forwarder.kill("SIGTERM");
await once(forwarder, "exit");
await agent.teardown();
printFigure({
  name: `device bytes a message at ${RATE}/s, window 1 s, with queue and removal`,
  value: Math.max(0, all - others) / (RATE * SECONDS),
  unit: "bytes",
  goal: { atMost: 4_000 },
});
process.stderr.write(`Python Ivy 1.1.0: ${PYTHON_BYTES} bytes a message\n`);
