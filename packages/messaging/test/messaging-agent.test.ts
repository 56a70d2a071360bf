import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import * as z from "zod/mini";
import { InvalidMessageError, MessagingAgent, StoreWriteError } from "../src/index.ts";
import { createAgent, number, temporary, valuesOf } from "./support.ts";

describe("the messaging agent", () => {
  it("gives messages back in the order in which they were added, with their time and revision", async () => {
    let now = 1_764_000_000_250;
    const agent = createAgent(temporary(), { revision: 7, now: () => now++ });
    for (const value of [3, 1, 2]) await agent.addMessage(number(value));
    const items = agent.getNLatestMessages(10);
    expect(valuesOf(items)).toEqual([3, 1, 2]);
    expect(items[0]).toMatchObject({ timestamp: expect.closeTo(1_764_000_000.25, 1), revision: 7 });
    expect(valuesOf(agent.getNLatestMessages(2))).toEqual([3, 1]);
    expect(valuesOf(agent.getNLatestMessages(2, [items[0]?.identifier ?? 0]))).toEqual([1, 2]);
  });

  it("stamps no revision before the first configuration", async () => {
    const agent = createAgent(temporary(), { revision: -1 });
    await agent.addMessage(number(1));
    expect(agent.getNLatestMessages(1)[0]).not.toHaveProperty("revision");
  });

  it("shows every agent what any has added, and nobody what any has removed", async () => {
    const dataDir = temporary();
    const now = () => Date.UTC(2026, 2, 1, 12);
    const [first, second] = [createAgent(dataDir, { now }), createAgent(dataDir, { now })];
    await first.addMessage(number(1));
    await second.addMessage(number(2));
    await first.addMessages([number(3), number(4)]);
    expect(valuesOf(second.getNLatestMessages(10))).toEqual([1, 2, 3, 4]);
    first.removeMessages(first.getNLatestMessages(3).map(({ identifier }) => identifier));
    expect(valuesOf(second.getNLatestMessages(10))).toEqual([4]);
    expect(second.statistics()).toMatchObject({ queued: 1, dead: 0 });
    expect(valuesOf(second.loadMessageArchive("2026-03-01"))).toEqual([1, 2, 3, 4]);
  });

  it("never uses an identifier again, also not after the queue was empty", async () => {
    const dataDir = temporary();
    const agent = createAgent(dataDir);
    const seen: number[] = [];
    for (let round = 0; round < 3; round++) {
      await agent.addMessage(number(round));
      const [item] = agent.getNLatestMessages(1);
      seen.push(item?.identifier ?? 0);
      agent.removeMessages(seen);
    }
    expect(new Set(seen).size).toBe(3);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  it("refuses what does not fit the schema, with the place, what came and what is allowed, and writes nothing", async () => {
    const dataDir = temporary();
    const agent = createAgent(dataDir);
    const wrong = { variant: "data", data: { a: Number.NaN } } as const;
    await expect(agent.addMessage(wrong)).rejects.toThrow(InvalidMessageError);
    await expect(agent.addMessage(wrong)).rejects.toThrow(
      /data\.a: must be number or must be string; came NaN/,
    );
    await expect(agent.addMessages([number(1), wrong])).rejects.toThrow(InvalidMessageError);
    expect(agent.getNLatestMessages(10)).toEqual([]);
  });

  it("writes what was added when the process exits in the same turn, and nobody waited", () => {
    const dataDir = temporary();
    const add = `
      import { MessagingAgent } from "@ivy/messaging";
      const agent = new MessagingAgent({ dataDir: process.argv[1] });
      void agent.addMessage({ variant: "data", data: { value: 7 } });
      process.exit();
    `;
    const args = ["--conditions=@ivy/source", "--input-type=module", "--eval", add, dataDir];
    execFileSync(process.execPath, args, { cwd: import.meta.dirname });
    expect(valuesOf(createAgent(dataDir).getNLatestMessages(10))).toEqual([7]);
  });

  it("puts dead letters back into the queue with their own time", async () => {
    let now = 1_764_000_000_000;
    const agent = createAgent(temporary(), { now: () => now, revision: 3 });
    await agent.addMessages([number(1), number(2)]);
    const [first] = agent.getNLatestMessages(1);
    agent.setAside([{ identifier: first?.identifier ?? 0, reason: "too large" }]);
    now += 60_000;
    expect(await agent.requeue(agent.deadLetters(10).map(({ identifier }) => identifier))).toBe(1);
    expect(agent.deadLetters(10)).toEqual([]);
    const items = agent.getNLatestMessages(10);
    expect(valuesOf(items)).toEqual([2, 1]);
    expect(items[1]).toMatchObject({ timestamp: 1_764_000_000, revision: 3 });
  });

  it("tells how much waits and since when, estimated where it is much", async () => {
    let now = 1_764_000_000_000;
    const agent = createAgent(temporary(), { now: () => now++, durability: "fast" });
    expect(agent.statistics()).toEqual({ queued: 0, queuedBytes: 0, oldest: undefined, dead: 0, dropped: 0 });
    await agent.addMessages([1, 2].map(number));
    expect(agent.statistics()).toMatchObject({ queued: 2, oldest: 1_764_000_000 });
    await agent.addMessages(Array.from({ length: 30_000 }, (_, value) => number(value)));
    const { queued, queuedBytes } = agent.statistics();
    expect(Math.abs(queued - 30_002)).toBeLessThan(1_000);
    expect(queuedBytes).toBeGreaterThan(30_000 * 80);
  });

  it("works with any schema", async () => {
    const dataDir = temporary();
    const agent = new MessagingAgent({ dataDir, schema: z.object({ photo: z.string() }) });
    await agent.addMessage({ photo: "roof.jpg" });
    expect(agent.getNLatestMessages(1)[0]?.message_body).toEqual({ photo: "roof.jpg" });
    await expect(agent.addMessage({ photo: 3 } as never)).rejects.toThrow(/photo: must be string; came 3/);
    await agent.teardown();
  });

  it("keeps what was set aside with its reason, once", async () => {
    const agent = createAgent(temporary());
    await agent.addMessages([number(1), number(2)]);
    const [first] = agent.getNLatestMessages(1);
    const refusal = { identifier: first?.identifier ?? 0, reason: "too large" };
    agent.setAside([refusal]);
    agent.setAside([refusal]);
    expect(agent.deadLetters(10)).toMatchObject([
      { identifier: refusal.identifier, reason: "too large", message_body: number(1) },
    ]);
    expect(valuesOf(agent.getNLatestMessages(10))).toEqual([2]);
    expect(agent.statistics()).toMatchObject({ queued: 1, dead: 1, dropped: 0 });
  });

  it("tells an observer of every message from then on, whoever adds it", async () => {
    const dataDir = temporary();
    const [first, second] = [createAgent(dataDir), createAgent(dataDir)];
    await first.addMessage(number(1));
    const ended = new AbortController();
    const seen: unknown[] = [];
    first.observe(ended.signal, (item) => seen.push(...valuesOf([item])));
    await first.addMessage(number(2));
    await second.addMessage(number(3));
    await vi.waitFor(() => expect(seen).toEqual([2, 3]), 20_000);
    ended.abort();
  });
});

describe("a broken store", () => {
  it("of which a line is damaged or torn loses that line only, and the next writer starts on a new one", async () => {
    const dataDir = temporary();
    const agent = new MessagingAgent({ dataDir });
    for (const value of [1, 2, 3]) await agent.addMessage(number(value));
    const file = agent.getMessageArchiveFile();
    await agent.teardown();
    const text = readFileSync(file, "utf8");
    writeFileSync(file, `${text.replace('"value":2', '"value":9')}{"v":1,"id":"torn`);
    const next = createAgent(dataDir);
    await next.addMessage(number(4));
    expect(valuesOf(next.getNLatestMessages(10))).toEqual([1, 3, 4]);
  });

  it("of which the header is damaged keeps its place", async () => {
    const dataDir = temporary();
    const agent = createAgent(dataDir);
    await agent.addMessage(number(1));
    const [before] = agent.getNLatestMessages(1);
    const file = agent.getMessageArchiveFile();
    writeFileSync(file, readFileSync(file, "utf8").replace('"file":1', '"file":7'));
    const next = createAgent(dataDir);
    await next.addMessage(number(2));
    expect(next.getNLatestMessages(10)[0]?.identifier).toBe(before?.identifier);
    expect(valuesOf(next.getNLatestMessages(10))).toEqual([1, 2]);
  });

  it.each([
    ["is not a database", "garbage ".repeat(1_000)],
    ["is empty", ""],
  ])("whose queue %s is built anew from the log", async (_, content) => {
    const dataDir = temporary();
    const writer = createAgent(dataDir);
    await writer.addMessages([number(1), number(2)]);
    writeFileSync(join(dataDir, "active-message-queue.sqlite3"), content);
    const onIncident = vi.fn();
    const reader = createAgent(dataDir, { onIncident });
    expect(valuesOf(reader.getNLatestMessages(10))).toEqual([1, 2]);
    const kept = readdirSync(dataDir).filter((name) => name.includes(".bad-"));
    expect(kept).toHaveLength(content === "" ? 0 : 1);
    expect(onIncident).toHaveBeenCalledTimes(kept.length);
  });

  it("that cannot be written to gives a typed error with the cause, and works again afterwards", async () => {
    const dataDir = temporary();
    writeFileSync(join(dataDir, "messages"), "a file where the folder should be");
    const agent = new MessagingAgent({ dataDir });
    const attempt = agent.addMessage(number(1));
    await expect(attempt).rejects.toThrow(StoreWriteError);
    await expect(attempt).rejects.toMatchObject({ code: "IVY_STORE_WRITE", cause: { code: "EEXIST" } });
  });
});
