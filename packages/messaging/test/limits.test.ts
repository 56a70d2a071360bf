import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { DEFAULT_LIMITS, filesToRemove, type KeptFile } from "../src/queue/limits.ts";
import { createAgent, number, temporary, valuesOf } from "./support.ts";

const MANY = Number.MAX_SAFE_INTEGER;

const file = (
  day: string,
  bytes: number,
  pendingBytes: number,
  lane: KeptFile["lane"] = "regular",
): KeptFile => ({ day, bytes, pendingBytes, lane, isLive: false });

const limits = (change: Partial<typeof DEFAULT_LIMITS>) => ({ ...DEFAULT_LIMITS, ...change });

describe("what goes when limits are reached", () => {
  const [a, b, c] = [file("d1", 100, 0), file("d2", 100, 50), file("d3", 100, 0)];
  const newest = file("d4", 100, 100);
  const files = [a, b, c, newest];

  it("are, unless others are given, those that the README names", () => {
    const GIB = 1024 ** 3;
    expect(DEFAULT_LIMITS).toMatchObject({
      archiveBytes: GIB,
      archiveDays: 365,
      queueBytes: GIB,
      queueDays: 365,
    });
  });

  it("is nothing below them", () => expect(filesToRemove(files, MANY, DEFAULT_LIMITS)).toEqual([]));

  it("are the oldest sent messages for the archive's bytes and days", () => {
    expect(filesToRemove(files, MANY, limits({ archiveBytes: 249 }))).toEqual([a]);
    expect(filesToRemove(files, MANY, limits({ archiveBytes: 0 }))).toEqual([a, c]);
    expect(filesToRemove(files, MANY, limits({ archiveDays: 3 }))).toEqual([a]);
  });

  it("are the oldest unsent ones for the queue's, and never the newest file", () => {
    expect(filesToRemove(files, MANY, limits({ queueBytes: 149 }))).toEqual([b]);
    expect(filesToRemove(files, MANY, limits({ queueBytes: 0 }))).toEqual([b]);
    expect(filesToRemove(files, MANY, limits({ queueDays: 2 }))).toEqual([b]);
  });

  it("are none that may still be appended to", () => {
    const live = files.map((one, index) => ({ ...one, isLive: index >= 1 }));
    expect(filesToRemove(live, 0, limits({ queueBytes: 0, archiveBytes: 0 }))).toEqual([live[0]]);
  });

  it("are urgent ones last", () => {
    const urgent = file("d0", 10, 10, "urgent");
    const all = [urgent, file("d4", 1, 0, "urgent"), ...files];
    expect(filesToRemove(all, MANY, limits({ queueBytes: 110 }))).toEqual([b]);
    expect(filesToRemove(all, MANY, limits({ queueBytes: 100 }))).toEqual([b, urgent]);
  });

  it("are only sent ones for want of room on the file system", () => {
    expect(filesToRemove(files, 0, limits({ freeBytes: 50 }))).toEqual([a]);
    expect(filesToRemove(files, 0, limits({ freeBytes: MANY }))).toEqual([a, c]);
  });

  it("does not depend on the clock, which may have been years ahead for a day", () => {
    const jumped = [file("2026-03-01", 1, 0), file("2051-01-01", 1, 0), file("2026-03-02", 1, 0)];
    expect(filesToRemove(jumped, MANY, limits({ archiveDays: 3 }))).toEqual([]);
  });
});

/** An agent that has written one message on each of some days. */
async function withDays(count: number, options: Parameters<typeof createAgent>[1]) {
  const dataDir = temporary();
  let now = Date.parse("2026-03-01T12:00:00Z");
  const agent = createAgent(dataDir, { ...options, now: () => now });
  for (let day = 0; day < count; day++) {
    await agent.addMessage(number(day));
    now += 86_400_000;
  }
  const days = () => readdirSync(join(dataDir, "messages")).map((name) => Number(name.slice(8, 10)));
  return { agent, days };
}

describe("a store at its limits", () => {
  it("deletes what was sent longest ago, and nothing that waits", async () => {
    const { agent, days } = await withDays(5, { limits: { archiveDays: 2 } });
    agent.removeMessages(agent.getNLatestMessages(2).map(({ identifier }) => identifier));
    agent.keepLimits();
    expect(days()).toEqual([3, 4, 5]);
    expect(valuesOf(agent.getNLatestMessages(10))).toEqual([2, 3, 4]);
    expect(agent.statistics()).toMatchObject({ queued: 3, dropped: 0 });
  });

  it("warns before it drops, drops the oldest, and says and counts what it has dropped", async () => {
    const onIncident = vi.fn();
    const { agent } = await withDays(5, { limits: { queueBytes: 400 }, onIncident });
    agent.keepLimits();
    expect(onIncident.mock.calls[0]?.[0]).toMatch(/wait to be sent/);
    expect(onIncident.mock.calls.slice(1).join("\n")).toMatch(
      /1 unsent messages of 2026-03-01\.jsonl are dropped/,
    );
    const { queued, dropped, queuedBytes } = agent.statistics();
    expect(queued + dropped).toBe(5);
    expect(dropped).toBeGreaterThan(0);
    expect(queuedBytes).toBeLessThanOrEqual(400);
    expect(valuesOf(agent.getNLatestMessages(10))).toEqual([0, 1, 2, 3, 4].slice(dropped));
  });

  it("warns before it drops what is too old", async () => {
    const onIncident = vi.fn();
    const { agent } = await withDays(4, { limits: { queueDays: 4 }, onIncident });
    agent.keepLimits();
    expect(onIncident.mock.calls).toEqual([
      [expect.stringMatching(/messages of 4 days wait .* 4 days, the oldest/)],
    ]);
    expect(agent.statistics().dropped).toBe(0);
  });

  it("keeps them by itself where a forwarder is at work", async () => {
    const { agent, days } = await withDays(6, { limits: { archiveDays: 1 } });
    const consumer = agent.openConsumer();
    consumer.settle({ removed: consumer.take(10).map(({ identifier }) => identifier) });
    await agent.addMessage(number(6));
    consumer.filesChanged();
    // Other processes may not have noticed yet that there is a newer file.
    expect(days()).toEqual([5, 6, 7]);
  });

  it("keeps the file in which another process goes on, so that what that adds is sent", async () => {
    const dataDir = temporary();
    const noon = Date.UTC(2026, 2, 1, 12);
    const other = createAgent(dataDir, { now: () => noon });
    await other.addMessage(number(1));
    const agent = createAgent(dataDir, { now: () => noon + 86_400_000, limits: { freeBytes: MANY } });
    await agent.addMessage(number(2));
    agent.removeMessages(agent.getNLatestMessages(10).map(({ identifier }) => identifier));
    agent.keepLimits();
    await other.addMessage(number(3));
    expect(valuesOf(agent.getNLatestMessages(10))).toEqual([3]);
  });
});
