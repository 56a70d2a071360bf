import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { Settling } from "../src/forward/settling.ts";
import { breakQueue, createAgent, number, temporary, valuesOf } from "./support.ts";

const COUNT = 1_000;

async function setUp() {
  const dataDir = temporary();
  const agent = createAgent(dataDir);
  await agent.addMessages(Array.from({ length: COUNT }, (_, value) => number(value)));
  const consumer = agent.openConsumer();
  const logger = { debug: vi.fn(), info: vi.fn(), warning: vi.fn(), error: vi.fn() };
  const settling = new Settling(consumer, logger);
  onTestFinished(() => settling[Symbol.dispose]());
  const settleOne = () => {
    const [message] = consumer.take(1);
    if (message !== undefined) settling.settle({ removed: [message.identifier] });
    return message;
  };
  return { dataDir, agent, consumer, logger, settling, settleOne };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
});

describe("a queue that cannot be written to", () => {
  it("is told once, and tried again with one timer, however much there is to settle", async () => {
    const { dataDir, agent, logger, settleOne } = await setUp();
    const repair = breakQueue(dataDir);
    while (settleOne() !== undefined);
    expect(logger.error).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(60_000);
    expect(logger.error).toHaveBeenCalledTimes(1);
    expect(agent.statistics().queued).toBe(COUNT);
    repair();
    vi.advanceTimersByTime(5_000);
    expect(agent.statistics().queued).toBe(0);
    expect(logger.info.mock.calls).toEqual([["The queue can be written to again"]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("takes the next settlement after that at once, and is told again when it breaks again", async () => {
    const { dataDir, agent, logger, settleOne } = await setUp();
    breakQueue(dataDir)();
    settleOne();
    expect(valuesOf(agent.getNLatestMessages(1))).toEqual([1]);
    for (const errors of [1, 2]) {
      const repair = breakQueue(dataDir);
      settleOne();
      expect(logger.error).toHaveBeenCalledTimes(errors);
      repair();
      vi.advanceTimersByTime(5_000);
    }
    expect(valuesOf(agent.getNLatestMessages(1))).toEqual([3]);
  });

  it("hands nothing out again that is done with, also over the next connection", async () => {
    const { dataDir, agent, consumer, settling, settleOne } = await setUp();
    const repair = breakQueue(dataDir);
    for (let turn = 0; turn < COUNT - 2; turn++) settleOne();
    const [refused] = consumer.take(1);
    const identifier = refused?.identifier ?? 0;
    settling.settle({ removed: [identifier], dead: [{ identifier, reason: "too large" }] });
    consumer.release();
    expect(valuesOf(agent.getNLatestMessages(1))).toEqual([0]);
    expect(consumer.take(10).map(({ record }) => record.m)).toEqual([number(COUNT - 1)]);
    repair();
    settling[Symbol.dispose]();
    expect(valuesOf(agent.getNLatestMessages(10))).toEqual([COUNT - 1]);
    expect(agent.deadLetters(10)).toMatchObject([{ reason: "too large", message_body: number(COUNT - 2) }]);
  });
});
