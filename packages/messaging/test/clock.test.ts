import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { createAgent, number, temporary, valuesOf } from "./support.ts";

const at = (time: string) => Date.parse(`${time}Z`);

describe("the order of messages", () => {
  it("is that of adding, whatever the clock does, for writers that run and for those that start anew", async () => {
    const dataDir = temporary();
    let now = 0;
    const running = createAgent(dataDir, { now: () => now });
    const times = [
      "1970-01-01T00:00:10",
      "2026-03-01T23:59:59",
      "2026-03-02T00:00:01",
      "2026-03-01T23:00:00",
      "1970-01-01T00:01:00",
      "2026-03-02T12:00:00",
      "2036-03-02T12:00:00",
    ];
    const added: number[] = [];
    for (const [index, time] of times.entries()) {
      now = at(time);
      await running.addMessage(number(2 * index));
      const fresh = createAgent(dataDir, { now: () => now });
      await fresh.addMessage(number(2 * index + 1));
      added.push(2 * index, 2 * index + 1);
    }
    expect(valuesOf(running.getNLatestMessages(100))).toEqual(added);
  });

  it("holds across midnight, for a reader that follows as well", async () => {
    const dataDir = temporary();
    let now = at("2026-03-01T23:59:59");
    const [first, second] = [
      createAgent(dataDir, { now: () => now }),
      createAgent(dataDir, { now: () => now }),
    ];
    const consumer = first.openConsumer();
    await first.addMessage(number(1));
    await second.addMessage(number(2));
    consumer.filesChanged();
    const taken = consumer.take(10).map(({ identifier }) => identifier);
    now = at("2026-03-02T00:00:00");
    await first.addMessage(number(3));
    await second.addMessage(number(4));
    consumer.filesChanged();
    taken.push(...consumer.take(10).map(({ identifier }) => identifier));
    consumer.settle({ removed: taken });
    expect(taken).toHaveLength(4);
    expect(readdirSync(join(dataDir, "messages")).sort()).toEqual(["2026-03-01.jsonl", "2026-03-02.jsonl"]);
    expect(first.getNLatestMessages(10)).toEqual([]);
    expect(basename(first.getMessageArchiveFile())).toBe("2026-03-02.jsonl");
    expect(valuesOf(first.loadMessageArchive("2026-03-01"))).toEqual([1, 2]);
  });
});
