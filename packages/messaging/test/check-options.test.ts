import { expect, it, vi } from "vitest";
import { type ForwarderLog, type ForwardOptions, forward, type Timeouts } from "../src/forwarder.ts";
import { createAgent, temporary } from "./support.ts";

const BROKER = { host: "127.0.0.1", port: 1, clientId: "forwarder" };
const PROTOCOL = {
  subscriptions: [],
  map: () => ({ publishes: [], settled: [], refused: [] }),
  receive: () => undefined,
};
const LOGGER: ForwarderLog = { debug: vi.fn(), info: vi.fn(), warning: vi.fn(), error: vi.fn() };
const SHORT: Timeouts = { connectMs: 1, acknowledgementMs: 1, keepAliveMs: 1 };

/** Forwarding that ends at once. */
function forwardWith(change: object): Promise<void> {
  return forward({
    agent: createAgent(temporary()),
    protocol: PROTOCOL,
    broker: BROKER,
    maxParallelMessages: 1,
    logger: LOGGER,
    teardown: AbortSignal.abort(),
    drainSeconds: () => 0,
    ...change,
  } as ForwardOptions);
}

it.each<[object, RegExp]>([
  [
    { maxParallelMessages: 2.5 },
    /^The option maxParallelMessages of forward is 2\.5; expected is a whole number from 1/,
  ],
  [{ maxParallelMessages: 0 }, /maxParallelMessages/],
  [{ maxParallelMessages: undefined }, /maxParallelMessages/],
  [{ batchSize: 1.5 }, /batchSize/],
  [{ backlogRate: 0 }, /backlogRate of forward is 0; expected is a number from 0\.001 on, or nothing/],
  [{ backlogRate: Number.NaN }, /backlogRate/],
  [
    { timeouts: { acknowledgementMs: Number.POSITIVE_INFINITY } },
    /acknowledgementMs .* from 1 to 2147483647/,
  ],
  [{ timeouts: { connectMs: 0 } }, /connectMs/],
  [{ timeouts: { keepAliveMs: Number.POSITIVE_INFINITY } }, /keepAliveMs .* to 65535000/],
  [{ drainSeconds: 5 }, /drainSeconds/],
  [{ teardown: undefined }, /teardown/],
  [{ logger: {} }, /logger\.debug/],
  [{ broker: { ...BROKER, clientId: "" } }, /broker\.clientId of forward is ""/],
  [{ broker: { ...BROKER, port: "1883" } }, /broker\.port of forward is "1883"/],
  [{ protocol: { ...PROTOCOL, map: undefined } }, /protocol\.map/],
  [{ protocol: { ...PROTOCOL, subscriptions: "a" } }, /protocol\.subscriptions/],
  [{ protocol: { ...PROTOCOL, subscriptions: ["a", ""] } }, /subscriptions\[1\] of forward is ""/],
  [{ protocol: { ...PROTOCOL, subscriptions: ["a/#/b"] } }, /subscriptions\[0\]/],
  [{ protocol: { ...PROTOCOL, subscriptions: ["a/b+"] } }, /subscriptions\[0\]/],
])("forwarding with %j does not begin", async (change, message) => {
  const wrong = { code: "IVY_FORWARDER_USAGE", message: expect.stringMatching(message) };
  await expect(forwardWith(change)).rejects.toMatchObject(wrong);
});

it.each<object>([
  { batchSize: undefined, backlogRate: undefined, timeouts: { connectMs: undefined } },
  { batchSize: 500, backlogRate: 0.5, timeouts: SHORT },
  { protocol: { ...PROTOCOL, subscriptions: ["a", "/", "+/b/#", "#", "$share/group/a/+"] } },
])("forwarding with %j begins", async (change) => {
  await expect(forwardWith(change)).resolves.toBeUndefined();
});
