import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import type { MessageBody } from "@ivy/types";
import { connectAsync } from "mqtt";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type ForwardOptions, forward } from "../src/forwarder.ts";
import type { MessagingAgent } from "../src/index.ts";
import { hasMosquitto, type Mosquitto, startMosquitto } from "../src/testing.ts";
import { createAgent, number, temporary, valuesOf } from "../test/support.ts";

interface Received {
  topic: string;
  values: number[];
}

async function broker(options = {}): Promise<Mosquitto> {
  const started = await startMosquitto(options);
  onTestFinished(() => started[Symbol.asyncDispose]());
  return started;
}

/** A subscriber with a persistent session. */
async function listen(port: number): Promise<Received[]> {
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
  const received: Received[] = [];
  client.on("message", (topic, payload) => received.push({ topic, values: JSON.parse(payload.toString()) }));
  await client.subscribeAsync("numbers", { qos: 1 });
  return received;
}

function startForwarding(
  agent: MessagingAgent,
  port: number,
  change: Partial<ForwardOptions<MessageBody>> = {},
) {
  const ended = new AbortController();
  const logger = { debug: vi.fn(), info: vi.fn(), warning: vi.fn(), error: vi.fn() };
  const running = forward({
    agent,
    protocol: {
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
    },
    broker: { host: "127.0.0.1", port, clientId: "forwarder" },
    maxParallelMessages: 50,
    logger,
    teardown: ended.signal,
    drainSeconds: () => 10,
    ...change,
  });
  const stop = async () => {
    ended.abort();
    await running;
  };
  onTestFinished(stop);
  return { stop, logger };
}

const flat = (received: Received[]) => received.flatMap(({ values }) => values);
const upTo = (count: number) => Array.from({ length: count }, (_, value) => value);
const until = (check: () => void, timeout = 20_000) => vi.waitFor(check, { timeout, interval: 10 });

describe.skipIf(!hasMosquitto)("the forwarder and a broker (needs mosquitto)", () => {
  it("delivers what was there and what comes, in order, and empties the queue", async () => {
    const { port } = await broker();
    const received = await listen(port);
    const agent = createAgent(temporary());
    await agent.addMessages(upTo(500).map(number));
    startForwarding(agent, port);
    await until(() => expect(flat(received)).toHaveLength(500));
    await agent.addMessage(number(500));
    await until(() => expect(flat(received)).toEqual(upTo(501)));
    await until(() => expect(agent.getNLatestMessages(1)).toEqual([]));
  });

  it("waits for a broker that is not there yet", async () => {
    const { port, stop, start } = await broker();
    await stop();
    const agent = createAgent(temporary());
    await agent.addMessage(number(0));
    const { logger } = startForwarding(agent, port);
    await until(() =>
      expect(logger.warning).toHaveBeenCalledWith(
        expect.stringMatching(/cannot be reached/),
        expect.anything(),
      ),
    );
    expect(valuesOf(agent.getNLatestMessages(10))).toEqual([0]);
    await start();
    const received = await listen(port);
    await until(() => expect(flat(received)).toEqual([0]));
  });

  it("loses nothing and keeps the order when the broker is restarted again and again", async () => {
    // Not killed: mosquitto acknowledges before it saves, so a kill takes messages that are the broker's already.
    const { port, stop, start } = await broker();
    const received = await listen(port);
    const agent = createAgent(temporary());
    startForwarding(agent, port);
    let added = 0;
    for (let round = 0; round < 3; round++) {
      await agent.addMessages(Array.from({ length: 300 }, () => number(added++)));
      await until(() => expect(flat(received).length).toBeGreaterThan(round * 300 + 10));
      await stop();
      await start();
    }
    await agent.addMessage(number(added++));
    await until(() => expect(new Set(flat(received)).size).toBe(added), 40_000);
    // What was in flight at a cut comes once more; apart from that, each comes once, in order.
    const firsts = flat(received).filter((value, index, all) => all.indexOf(value) === index);
    expect(firsts).toEqual(upTo(added));
    expect(flat(received).length - added).toBeLessThanOrEqual(3 * 50);
  });

  it("tells wrong credentials once, does not hammer, and keeps the messages", async () => {
    const { port } = await broker({ user: { username: "somebody", password: "secret" } });
    const agent = createAgent(temporary());
    await agent.addMessage(number(0));
    const wrong = {
      host: "127.0.0.1",
      port,
      clientId: "forwarder",
      username: "somebody",
      password: "canary",
    };
    const { logger, stop } = startForwarding(agent, port, { broker: wrong, drainSeconds: () => 0 });
    await until(() => expect(logger.warning).toHaveBeenCalled());
    expect(logger.warning.mock.calls).toEqual([
      [
        expect.stringMatching(/refuses us: (user name or password are wrong|this client is not authorised)/),
        expect.stringMatching(/next attempt in [1-6]\d\.\d s/),
      ],
    ]);
    expect(JSON.stringify(logger.warning.mock.calls)).not.toContain("canary");
    await stop();
    expect(valuesOf(agent.getNLatestMessages(10))).toEqual([0]);
  });

  it("sets aside what is refused, also by a mapping that throws, and goes on with the rest", async () => {
    const { port } = await broker();
    const received = await listen(port);
    const agent = createAgent(temporary());
    await agent.addMessages(upTo(10).map(number));
    const { logger } = startForwarding(agent, port, {
      protocol: {
        subscriptions: [],
        receive: () => undefined,
        map: (messages) => {
          if (valuesOf(messages).includes(3)) throw new Error("cannot count to three");
          const carried = messages.filter((message) => Number(valuesOf([message])[0]) % 2 === 1);
          return {
            publishes: carried.map((message) => ({
              topic: "numbers",
              payload: JSON.stringify(valuesOf([message])),
              identifiers: [message.identifier],
            })),
            settled: [],
            refused: messages
              .filter((message) => !carried.includes(message))
              .map(({ identifier }) => ({ identifier, reason: "even" })),
          };
        },
      },
    });
    await until(() => expect(flat(received)).toEqual([1, 5, 7, 9]));
    await until(() => expect(agent.statistics().dead).toBe(6));
    expect(agent.deadLetters(10).map(({ reason }) => reason)).toEqual([
      "even",
      "even",
      "it cannot be mapped: cannot count to three",
      "even",
      "even",
      "even",
    ]);
    expect(logger.warning).toHaveBeenCalledTimes(2);
    expect(agent.getNLatestMessages(10)).toEqual([]);
  });

  it("gives back what the server publishes, also what came while it was away, and survives a receiver that throws", async () => {
    const { port } = await broker();
    const agent = createAgent(temporary());
    const seen: string[] = [];
    const protocol = {
      subscriptions: ["commands"],
      map: () => ({ publishes: [], settled: [], refused: [] }),
      receive: (_topic: string, payload: Buffer) => {
        seen.push(payload.toString());
        if (seen.length === 1) throw new Error("not today");
      },
    };
    const server = await connectAsync({ protocol: "mqtt", host: "127.0.0.1", port });
    onTestFinished(() => server.endAsync(true));
    const first = startForwarding(agent, port, { protocol });
    await until(() => expect(first.logger.info).toHaveBeenCalled());
    await until(async () => {
      await server.publishAsync("commands", "one", { qos: 1 });
      expect(seen.length).toBeGreaterThan(0);
    });
    await until(() =>
      expect(first.logger.error).toHaveBeenCalledWith(
        expect.stringContaining("commands"),
        "Error: not today",
      ),
    );
    await first.stop();
    await server.publishAsync("commands", "while away", { qos: 1 });
    startForwarding(agent, port, { protocol });
    await until(() => expect(seen).toContain("while away"));
  });
});

describe("the forwarder and a broker that does not acknowledge", () => {
  it("has no more messages under way than it may, and removes none", async () => {
    let publishes = 0;
    const port = await silentBroker(() => publishes++);
    const agent = createAgent(temporary());
    await agent.addMessages(upTo(100).map(number));
    const { stop } = startForwarding(agent, port, { maxParallelMessages: 7, drainSeconds: () => 0 });
    await until(() => expect(publishes).toBe(7));
    await stop();
    expect(publishes).toBe(7);
    expect(valuesOf(agent.getNLatestMessages(1_000))).toEqual(upTo(100));
  });
});

/** Accepts connections, takes publishes, and says nothing more. The packets of MQTT 3.1.1 are read by hand. */
async function silentBroker(published: () => void): Promise<number> {
  const CONNACK = Buffer.from([0x20, 0x02, 0x00, 0x00]);
  const server = createServer((socket: Socket) => {
    let pending = Buffer.alloc(0);
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      pending = Buffer.concat([pending, bytes]);
      // Packets of this test are shorter than 128 bytes, so their length is one byte.
      while (pending.length >= 2 && pending.length >= 2 + (pending[1] ?? 0)) {
        const kind = (pending[0] ?? 0) >> 4;
        if (kind === 1) socket.write(CONNACK);
        if (kind === 3) published();
        pending = pending.subarray(2 + (pending[1] ?? 0));
      }
    });
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
