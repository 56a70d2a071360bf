import type { MqttClient } from "mqtt";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Publisher } from "../src/forward/publisher.ts";
import type { ServerLimits } from "../src/forward/server-protocol.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A publisher, and what it has sent with the times of that, in milliseconds. */
function create(limits: ServerLimits = {}) {
  const sent: { topic: string; at: number }[] = [];
  const acknowledgements: (() => void)[] = [];
  const overdue = vi.fn();
  const publish = (topic: string, _payload: string, _options: object, done: () => void) => {
    sent.push({ topic, at: performance.now() });
    acknowledgements.push(done);
  };
  const client = { publish } as unknown as MqttClient;
  const publisher = new Publisher({ client, acknowledgementMs: 1_000, overdue });
  publisher.keepTo(limits);
  const outgoing = (topic: string, dataPoints = 0) => ({
    topic,
    payload: "",
    identifiers: [1],
    dataPoints,
    acknowledged: () => undefined,
  });
  const begin = performance.now();
  return {
    publisher,
    overdue,
    send: (topic: string, dataPoints?: number) => publisher.send(outgoing(topic, dataPoints)),
    ask: (topic: string) => publisher.sendBeside(outgoing(topic)),
    topics: () => sent.map(({ topic }) => topic).join(""),
    times: () => sent.map(({ at }) => Math.round(at - begin)),
    acknowledge: () => acknowledgements.shift()?.(),
  };
}

describe("the publisher", () => {
  it("has no more under way than the server allows, and lets questions beside the queue go first", () => {
    const { publisher, send, ask, topics, acknowledge } = create({ publishesUnderWay: 2 });
    const free = vi.fn();
    publisher.onFree = free;
    for (const topic of "abcd") send(topic);
    ask("?");
    expect([topics(), publisher.holdsBack]).toEqual(["ab", true]);
    acknowledge();
    expect(topics()).toBe("ab?");
    acknowledge();
    acknowledge();
    expect([topics(), publisher.holdsBack]).toEqual(["ab?cd", false]);
    expect(free).toHaveBeenCalledTimes(1);
  });

  it("keeps to every one of the rates, with one timer and no wake-up too many", () => {
    const rates = [
      { count: 2, seconds: 1 },
      { count: 3, seconds: 4 },
    ];
    const { send, times } = create({ publishes: rates });
    for (const topic of "abcde") send(topic);
    expect(vi.getTimerCount()).toBe(2);
    vi.advanceTimersByTime(900);
    expect(times()).toEqual([0, 0]);
    vi.advanceTimersByTime(10_000);
    expect(times()).toEqual([0, 0, 1_000, 4_000, 4_000]);
  });

  it("counts data points", () => {
    const { send, times } = create({ dataPoints: [{ count: 10, seconds: 1 }] });
    for (const dataPoints of [6, 4, 1, 20, 1]) send("a", dataPoints);
    vi.advanceTimersByTime(10_000);
    expect(times()).toEqual([0, 0, 1_000, 2_000, 3_000]);
  });

  it("finds the acknowledgement of the oldest overdue, not that of one that waits its turn", () => {
    const { send, acknowledge, overdue } = create();
    send("a");
    send("b");
    vi.advanceTimersByTime(900);
    acknowledge();
    vi.advanceTimersByTime(900);
    expect(overdue).not.toHaveBeenCalled();
    vi.advanceTimersByTime(100);
    expect(overdue).toHaveBeenCalledTimes(1);
  });

  it("sends nothing after it was stopped, and leaves no timer behind", () => {
    const { publisher, send, topics } = create({ publishes: [{ count: 1, seconds: 1 }] });
    send("a");
    send("b");
    publisher.stop();
    publisher[Symbol.dispose]();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(5_000);
    expect(topics()).toBe("a");
  });
});
