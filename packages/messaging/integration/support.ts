import type { MessageBody } from "@ivy/types";
import { connectAsync } from "mqtt";
import { expect, onTestFinished, vi } from "vitest";
import { type ForwardOptions, forward, type ServerProtocol } from "../src/forwarder.ts";
import type { MessagingAgent } from "../src/index.ts";
import { type FaultProxy, type Mosquitto, startFaultProxy, startMosquitto } from "../src/testing.ts";
import { valuesOf } from "../test/support.ts";

export async function broker(options: Parameters<typeof startMosquitto>[0] = {}): Promise<Mosquitto> {
  const started = await startMosquitto(options);
  onTestFinished(() => started[Symbol.asyncDispose]());
  return started;
}

export async function proxyTo({ port }: { port: number }): Promise<FaultProxy> {
  const proxy = await startFaultProxy(port);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  return proxy;
}

/** A subscriber with a persistent session: the values of all messages, in the order of their arrival. */
export async function listen(port: number): Promise<number[]> {
  const client = await connectAsync({
    protocol: "mqtt",
    host: "127.0.0.1",
    port,
    clientId: "listener",
    clean: false,
    reconnectPeriod: 20,
  });
  onTestFinished(() => client.endAsync(true));
  client.on("error", () => undefined);
  const arrived: number[] = [];
  client.on("message", (_topic, payload) => arrived.push(...JSON.parse(payload.toString())));
  await client.subscribeAsync("numbers", { qos: 1 });
  return arrived;
}

/** Publishes each message alone, as an array of its value. */
export const ONE_EACH: ServerProtocol = {
  subscriptions: [],
  map: (messages) => ({
    publishes: messages.map((message) => ({
      topic: "numbers",
      payload: JSON.stringify(valuesOf([message])),
      identifiers: [message.identifier],
    })),
    settled: [],
    refused: [],
  }),
  receive: () => undefined,
};

/** Publishes the messages together, as an array of their values. */
export const TOGETHER: ServerProtocol = {
  ...ONE_EACH,
  map: (messages) => ({
    publishes: [
      {
        topic: "numbers",
        payload: JSON.stringify(valuesOf(messages)),
        identifiers: messages.map(({ identifier }) => identifier),
      },
    ],
    settled: [],
    refused: [],
  }),
};

export function startForwarding(
  agent: MessagingAgent,
  port: number,
  change: Partial<ForwardOptions<MessageBody>> = {},
) {
  const ended = new AbortController();
  const logger = { debug: vi.fn(), info: vi.fn(), warning: vi.fn(), error: vi.fn() };
  const running = forward({
    agent,
    protocol: ONE_EACH,
    broker: { host: "127.0.0.1", port, clientId: "forwarder" },
    maxParallelMessages: 50,
    logger,
    teardown: ended.signal,
    drainSeconds: () => 0,
    ...change,
  });
  const stop = async () => {
    ended.abort();
    await running;
  };
  onTestFinished(stop);
  const warnings = () => logger.warning.mock.calls.map(([message]: string[]) => message);
  return { stop, logger, warnings };
}

export const upTo = (count: number) => Array.from({ length: count }, (_, value) => value);

export const until = (check: () => void | Promise<void>, timeout = 20_000) =>
  vi.waitFor(check, { timeout, interval: 10 });

/** Waits until all numbers below a count have arrived: none is lost, each came in its turn, and few came again. */
export async function untilAllArrived(arrived: number[], count: number, mostRepeated: number): Promise<void> {
  await until(() => expect(new Set(arrived).size).toBe(count), 40_000);
  expect([...new Set(arrived)]).toEqual(upTo(count));
  expect(arrived.length - count).toBeLessThanOrEqual(mostRepeated);
}
