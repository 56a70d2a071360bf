import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { bury, readDead, readDropped, trimDead } from "../src/queue/statements.ts";
import { openStore } from "../src/queue/store.ts";
import { createAgent, number, temporary, valuesOf } from "./support.ts";

describe("dead letters", () => {
  it("of which there are more than 10,000 are dropped, counted and told once", {
    timeout: 60_000,
  }, async () => {
    const onIncident = vi.fn();
    const agent = createAgent(temporary(), { onIncident });
    await agent.addMessages(Array.from({ length: 10_050 }, (_, value) => number(value)));
    const letters = agent
      .getNLatestMessages(Number.POSITIVE_INFINITY)
      .map(({ identifier }) => ({ identifier, reason: "too large" }));
    for (const some of [letters.slice(0, 10_040), letters.slice(10_040)]) agent.setAside(some);
    expect(agent.statistics()).toMatchObject({ queued: 0, dead: 10_000, dropped: 50 });
    expect(valuesOf(agent.deadLetters(1))).toEqual([50]);
    expect(onIncident.mock.calls).toEqual([
      [expect.stringMatching(/more dead letters than are kept \(10000, or 64 MiB/)],
    ]);
  });

  it("of which there are too many bytes are dropped, the oldest first, and counted", () => {
    const { database, statements } = openStore(join(temporary(), "queue.sqlite3"), undefined);
    onTestFinished(() => void database.close());
    for (const identifier of [1, 2, 3, 4])
      bury(statements, { identifier, record: { id: "a", t: 1, m: "x".repeat(1_000) } }, "too large");
    expect(trimDead(statements, 10, 5_000)).toBe(0);
    expect(trimDead(statements, 10, 2_500)).toBe(2);
    expect(readDead(statements, 10).map(({ identifier }) => identifier)).toEqual([3, 4]);
    expect(readDropped(statements)).toBe(2);
  });

  it("come back once where they are put back twice at once, as urgent as they were added", async () => {
    const dataDir = temporary();
    const [agent, other] = [createAgent(dataDir), createAgent(dataDir)];
    await agent.addMessage(number(1), { urgent: true });
    await agent.addMessage(number(2));
    const letters = agent.getNLatestMessages(2).map(({ identifier }) => identifier);
    agent.setAside(letters.map((identifier) => ({ identifier, reason: "too large" })));
    await agent.addMessage(number(3));
    const requeued = await Promise.all([agent, agent, other].map((one) => one.requeue(letters)));
    expect(requeued.toSorted()).toEqual([0, 0, 2]);
    expect(valuesOf(agent.getNLatestMessages(10))).toEqual([1, 3, 2]);
    expect(agent.deadLetters(10)).toEqual([]);
  });
});
