import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAgent, number, temporary, valuesOf } from "./support.ts";

const values = (taken: { record: { m: unknown } }[]) =>
  taken.map(({ record }) => (record.m as { data: { value: number } }).data.value);
const identifiers = (taken: { identifier: number }[]) => taken.map(({ identifier }) => identifier);

describe("a consumer", () => {
  it("hands out each message once, and again what was released", async () => {
    const agent = createAgent(temporary());
    await agent.addMessages([1, 2, 3, 4].map(number));
    const consumer = agent.openConsumer();
    consumer.filesChanged();
    const taken = consumer.take(2);
    expect(values(taken)).toEqual([1, 2]);
    expect(values(consumer.take(10))).toEqual([3, 4]);
    expect(consumer.take(10)).toEqual([]);
    consumer.settle({ removed: identifiers(taken).slice(1) });
    consumer.release();
    expect(values(consumer.take(10))).toEqual([1, 3, 4]);
  });

  it("remembers what was settled when its process dies right afterwards", async () => {
    const dataDir = temporary();
    const agent = createAgent(dataDir);
    await agent.addMessages([1, 2, 3].map(number));
    const consumer = agent.openConsumer();
    const taken = consumer.take(3);
    consumer.settle({ removed: [taken[0]?.identifier ?? 0, taken[2]?.identifier ?? 0] });
    expect(values(createAgent(dataDir).openConsumer().take(10))).toEqual([2]);
  });

  it("goes on where another process has read and emptied the queue meanwhile", async () => {
    const dataDir = temporary();
    const [agent, other] = [createAgent(dataDir), createAgent(dataDir)];
    await agent.addMessages([1, 2, 3, 4, 5].map(number));
    const consumer = agent.openConsumer();
    const taken = consumer.take(3);
    const seen = other.getNLatestMessages(10);
    other.removeMessages([seen[3]?.identifier ?? 0]);
    consumer.settle({ removed: identifiers(taken).slice(0, 1) });
    await agent.addMessage(number(6));
    expect(values(consumer.take(10))).toEqual([5, 6]);
    consumer.settle({ removed: identifiers(taken) });
    expect(valuesOf(other.getNLatestMessages(10))).toEqual([5, 6]);
  });

  it("loses nothing and sends nothing twice, whatever is added, taken, settled, released, read and restarted in whatever order", async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("add" as const), count: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ kind: fc.constant("take" as const), count: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ kind: fc.constant("settle" as const), which: fc.array(fc.nat(9), { maxLength: 5 }) }),
      fc.record({
        kind: fc.constantFrom(
          "release" as const,
          "foreignRead" as const,
          "ownRead" as const,
          "restart" as const,
        ),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const dataDir = temporary();
        const [agent, other] = [createAgent(dataDir), createAgent(dataDir)];
        let consumer = agent.openConsumer();
        let next = 0;
        const left: number[] = [];
        let taken: { value: number; identifier: number }[] = [];
        for (const action of steps) {
          if (action.kind === "add") {
            const added = Array.from({ length: action.count }, () => next++);
            left.push(...added);
            await agent.addMessages(added.map(number), { durability: "fast" });
            consumer.filesChanged();
          } else if (action.kind === "take") {
            const messages = consumer.take(action.count);
            const expected = left
              .filter((value) => !taken.some((one) => one.value === value))
              .slice(0, action.count);
            expect(values(messages)).toEqual(expected);
            taken.push(
              ...messages.map((message, index) => ({
                value: values(messages)[index] ?? -1,
                identifier: message.identifier,
              })),
            );
          } else if (action.kind === "settle") {
            const chosen = taken.filter((_, index) => action.which.includes(index));
            consumer.settle({ removed: chosen.map(({ identifier }) => identifier).reverse() });
            for (const { value } of chosen) left.splice(left.indexOf(value), 1);
            taken = taken.filter((one) => !chosen.includes(one));
          } else if (action.kind === "foreignRead" || action.kind === "ownRead") {
            const reader = action.kind === "ownRead" ? agent : other;
            expect(valuesOf(reader.getNLatestMessages(1_000))).toEqual(left);
          } else {
            if (action.kind === "restart") consumer = agent.openConsumer();
            else consumer.release();
            taken = [];
          }
        }
        expect(valuesOf(other.getNLatestMessages(1_000))).toEqual(left);
      }),
      { numRuns: 40 },
    );
  });
});
