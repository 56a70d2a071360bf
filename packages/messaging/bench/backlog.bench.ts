// Reading from a queue, and starting with one, in which five million messages wait.
import { once } from "node:events";
import { MessagingAgent } from "@ivy/messaging";
import { startMosquitto } from "@ivy/messaging/testing";
import { inTurn, median, printFigure } from "@ivy/tooling/bench";
import { connectAsync } from "mqtt";
import { BODY, privateMemory, startFixture, temporary } from "./support.ts";

const MANY = 5_000_000;
const FEW = 1_000;
const BATCH = 5_000;
const READS = 200;
const ROUNDS = 5;

async function fill(dataDir: string, count: number): Promise<void> {
  const agent = new MessagingAgent({ dataDir });
  const batch = Array.from({ length: Math.min(BATCH, count) }, () => BODY);
  for (let added = 0; added < count; added += batch.length)
    await agent.addMessages(batch, { durability: "fast" });
  await agent.teardown();
}

/** Milliseconds that reading the 50 oldest takes. */
async function read(dataDir: string): Promise<number> {
  const agent = new MessagingAgent({ dataDir });
  const times = Array.from({ length: READS }, () => {
    const begin = performance.now();
    agent.getNLatestMessages(50);
    return performance.now() - begin;
  });
  await agent.teardown();
  return median(times);
}

/** Milliseconds from the start of a forwarder to its first publish, and its memory then, in MB. */
async function start(dataDir: string): Promise<{ ms: number; memory: number }> {
  await using broker = await startMosquitto();
  const client = await connectAsync({ protocol: "mqtt", host: broker.host, port: broker.port });
  await client.subscribeAsync("bench", { qos: 0 });
  const published = new Promise((resolve) => client.once("message", resolve));
  const begin = performance.now();
  const forwarder = await startFixture("forward", dataDir, String(broker.port));
  await published;
  const ms = performance.now() - begin;
  const memory = privateMemory(forwarder.pid ?? 0);
  forwarder.kill("SIGKILL");
  await once(forwarder, "exit");
  await client.endAsync(true);
  return { ms, memory };
}

using many = temporary();
using few = temporary();
using one = temporary();
await fill(many.path, MANY);
await fill(few.path, FEW);

const [atMany, atFew] = await inTurn(
  ROUNDS,
  () => read(many.path),
  () => read(few.path),
);
printFigure({
  name: "read the 50 oldest of 5 million",
  value: atMany,
  unit: "ms",
  beside: { name: "of 1,000", value: atFew },
  goal: { atMost: 1.5 },
});

const full: { ms: number; memory: number }[] = [];
const empty: typeof full = [];
for (let round = 0; round < ROUNDS; round++) {
  full.push(await start(many.path));
  // One message, for there is no first publish with none.
  await fill(one.path, 1);
  empty.push(await start(one.path));
}
const difference = (of: (result: { ms: number; memory: number }) => number) =>
  median(full.map(of)) - median(empty.map(of));
printFigure({
  name: "start with 5 million queued: first publish later than with one by",
  value: difference(({ ms }) => ms),
  unit: "ms",
  goal: { atMost: 200 },
});
printFigure({
  name: "start with 5 million queued: private memory more than with one by",
  value: difference(({ memory }) => memory),
  unit: "MB",
  goal: { atMost: 5 },
});
