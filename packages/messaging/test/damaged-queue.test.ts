import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import * as store from "../src/queue/store.ts";
import { createAgent, number, temporary, valuesOf } from "./support.ts";

vi.mock("../src/queue/store.ts", { spy: true });

const Sqlite = createRequire(import.meta.url)("better-sqlite3") as typeof import("better-sqlite3");
const QUEUE = "active-message-queue.sqlite3";

/** Changes the database behind the back of whoever uses it. */
function change(dataDir: string, sql: string): void {
  const database = new Sqlite(join(dataDir, QUEUE));
  database.exec(sql);
  database.close();
}

const DAMAGE = "UPDATE pending SET c = c + 1";
const MADE_BY_NEWER_SOFTWARE = "PRAGMA user_version = 99";

/** A store of six messages that are taken, of which the first is done and the second a dead letter. */
async function taken(onIncident?: (text: string) => void) {
  const dataDir = temporary();
  const agent = createAgent(dataDir, onIncident && { onIncident });
  await agent.addMessages([0, 1, 2, 3, 4, 5].map(number));
  const consumer = agent.openConsumer();
  const identifiers = consumer.take(6).map(({ identifier }) => identifier);
  const settle = (index: number, reason?: string) => {
    const identifier = identifiers[index] ?? 0;
    const dead = reason === undefined ? [] : [{ identifier, reason }];
    consumer.settle({ removed: [identifier], dead });
  };
  settle(0);
  settle(1, "early");
  return { dataDir, agent, settle };
}

/** What somebody sees who opens the store after a restart. */
function seen(dataDir: string) {
  const agent = createAgent(dataDir);
  return {
    values: valuesOf(agent.getNLatestMessages(10)),
    dead: agent.deadLetters(10).map(({ reason }) => reason),
  };
}

describe("a damaged queue", () => {
  it("that the disk does not let be built anew is built anew later, with all that was known", async () => {
    const { dataDir, agent, settle } = await taken();
    change(dataDir, DAMAGE);
    const refusal = Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" });
    const { openStore } = await vi.importActual<typeof store>("../src/queue/store.ts");
    onTestFinished(() => void vi.mocked(store.openStore).mockReset());
    vi.mocked(store.openStore)
      .mockImplementationOnce(openStore)
      .mockImplementation(() => {
        throw refusal;
      });
    for (let attempt = 0; attempt < 3; attempt++)
      expect(() => settle(2)).toThrow(expect.objectContaining({ code: "IVY_QUEUE_UNAVAILABLE" }));
    expect(valuesOf(agent.getNLatestMessages(10))).toEqual([2, 3, 4, 5]);
    vi.mocked(store.openStore).mockReset();
    settle(2);
    expect(seen(dataDir)).toEqual({ values: [3, 4, 5], dead: ["early"] });
    expect(readdirSync(dataDir).filter((name) => /\.bad-\d+$/.test(name))).toEqual([`${QUEUE}.bad-1`]);
  });

  it("that another process builds anew is noticed, and what is done meanwhile is done", async () => {
    const { dataDir, agent, settle } = await taken();
    change(dataDir, MADE_BY_NEWER_SOFTWARE);
    const other = seen(dataDir);
    expect(other).toEqual({ values: [0, 1, 2, 3, 4, 5], dead: ["early"] });
    settle(2);
    settle(3, "late");
    expect(valuesOf(agent.getNLatestMessages(10))).toEqual([4, 5]);
    expect(seen(dataDir)).toEqual({ values: [4, 5], dead: ["early", "late"] });
  });

  it("that another process builds anew is noticed by one that only reads, too", async () => {
    const { dataDir, agent } = await taken();
    const reader = createAgent(dataDir);
    expect(reader.statistics()).toMatchObject({ queued: 4 });
    change(dataDir, MADE_BY_NEWER_SOFTWARE);
    const other = createAgent(dataDir);
    other.removeMessages(other.getNLatestMessages(10).map(({ identifier }) => identifier));
    for (const one of [reader, agent])
      await vi.waitFor(() => expect(one.statistics()).toMatchObject({ queued: 0 }), { timeout: 20_000 });
  });

  it("is set aside once, whoever opens it at the same time", { timeout: 60_000 }, async () => {
    const dataDir = temporary();
    writeFileSync(join(dataDir, QUEUE), "garbage ".repeat(1_000));
    const children = Array.from({ length: 4 }, () => openInProcess(dataDir));
    await Promise.all(children.map(({ stdout }) => once(stdout, "data")));
    for (const child of children) child.stdin.end();
    const codes = await Promise.all(children.map(async (child) => (await once(child, "exit"))[0]));
    expect(codes).toEqual([0, 0, 0, 0]);
    expect(readdirSync(dataDir).filter((name) => name.includes(".bad-"))).toEqual([`${QUEUE}.bad-1`]);
  });
});

describe("a queue that the disk does not let be opened", () => {
  it.each([QUEUE, `${QUEUE}.lock`])("(%s) does not keep what waits from being sent", async (name) => {
    const dataDir = temporary();
    mkdirSync(join(dataDir, name));
    const onIncident = vi.fn();
    const agent = createAgent(dataDir, { onIncident });
    await agent.addMessage(number(1));
    const consumer = agent.openConsumer();
    expect(consumer.take(10)).toHaveLength(1);
    expect(() => consumer.settle({ removed: [] })).toThrow(
      expect.objectContaining({ code: "IVY_QUEUE_UNAVAILABLE" }),
    );
    expect(onIncident).toHaveBeenCalledWith(expect.stringMatching(/cannot be used now: .* tried again/));
  });
});

/** A process that is ready to open a store, and does when its input ends. */
function openInProcess(dataDir: string) {
  const agent = JSON.stringify(new URL("../src/index.ts", import.meta.url).href);
  const script = `
    import { MessagingAgent } from ${agent};
    const agent = new MessagingAgent({ dataDir: process.argv[1] });
    console.log("ready");
    process.stdin.resume().on("end", async () => {
      agent.getNLatestMessages(1);
      await agent.teardown();
    });
  `;
  const options = ["--conditions=@ivy/source", "--input-type=module", "-e", script, dataDir];
  const child = spawn(process.execPath, options, { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}
