// Messages from the queue to mosquitto, beside MQTT.js alone with the same payloads; and one message on an idle system.
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { MessagingAgent } from "@ivy/messaging";
import { type ForwardOptions, forward, type ServerProtocol } from "@ivy/messaging/forwarder";
import { startMosquitto } from "@ivy/messaging/testing";
import { inTurn, percentile, printFigure, wakeUpsOf } from "@ivy/tooling/bench";
import { connectAsync } from "mqtt";
import { BODY, startFixture, temporary } from "./support.ts";

const MESSAGES = 50_000;
const IN_FLIGHT = 50;
const BATCH = 50;
const ROUNDS = 5;
const SINGLE_MESSAGES = 300;
const IDLE_SECONDS = 20;

await using broker = await startMosquitto();
const silent = { debug() {}, info() {}, warning() {}, error() {} };
const payload = JSON.stringify(BODY);

/** So many messages a publish, each as its JSON text, or an array of them. */
function protocol(perPublish: number): ServerProtocol {
  return {
    subscriptions: [],
    receive: () => undefined,
    map(messages) {
      const publishes = [];
      for (let start = 0; start < messages.length; start += perPublish) {
        const some = messages.slice(start, start + perPublish);
        const texts = some.map(({ message_body }) => JSON.stringify(message_body));
        publishes.push({
          topic: "bench",
          payload: perPublish === 1 ? (texts[0] ?? "") : `[${texts.join(",")}]`,
          identifiers: some.map(({ identifier }) => identifier),
        });
      }
      return { publishes, settled: [], refused: [] };
    },
  };
}

function optionsFor(agent: MessagingAgent, teardown: AbortSignal, perPublish: number): ForwardOptions {
  return {
    agent,
    protocol: protocol(perPublish),
    broker: { host: broker.host, port: broker.port, clientId: "bench" },
    maxParallelMessages: IN_FLIGHT * perPublish,
    batchSize: IN_FLIGHT * perPublish,
    logger: silent,
    teardown,
    drainSeconds: () => 600,
  };
}

/** Messages a second from a full queue to the last acknowledgement. */
async function drain(perPublish: number, count = MESSAGES): Promise<number> {
  using folder = temporary();
  const agent = new MessagingAgent({ dataDir: folder.path });
  await agent.addMessages(Array.from({ length: count }, () => BODY));
  const begin = performance.now();
  await forward(optionsFor(agent, AbortSignal.abort(), perPublish));
  const seconds = (performance.now() - begin) / 1_000;
  await agent.teardown();
  return count / seconds;
}

/** The same with nothing but MQTT.js, which has so many publishes under way. */
async function publishAll(): Promise<number> {
  const begin = performance.now();
  const client = await connectAsync({ protocol: "mqtt", host: broker.host, port: broker.port });
  let left = MESSAGES;
  const worker = async () => {
    while (left-- > 0) await client.publishAsync("bench", payload, { qos: 1 });
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  await client.endAsync();
  return MESSAGES / ((performance.now() - begin) / 1_000);
}

/** Milliseconds from the call that adds a message to its removal from the queue, one message after the other. */
async function singleMessages(): Promise<number[]> {
  using folder = temporary();
  const agent = new MessagingAgent({ dataDir: folder.path });
  const ended = new AbortController();
  let settled = Promise.withResolvers<void>();
  const openConsumer = () => {
    const consumer = agent.openConsumer();
    const settle = consumer.settle.bind(consumer);
    consumer.settle = (settlement) => {
      settle(settlement);
      settled.resolve();
    };
    return consumer;
  };
  const watched = Object.create(agent, {
    openConsumer: { value: openConsumer },
    logFolder: { value: agent.logFolder },
  });
  const running = forward(optionsFor(watched, ended.signal, 1));
  const times: number[] = [];
  for (let message = 0; message < SINGLE_MESSAGES; message++) {
    await sleep(10);
    settled = Promise.withResolvers();
    const begin = performance.now();
    await agent.addMessage(BODY);
    await settled.promise;
    times.push(performance.now() - begin);
  }
  ended.abort();
  await running;
  await agent.teardown();
  // The first one waits for the connection.
  return times.slice(10);
}

/** How often a forwarder with nothing to do is woken, a second. */
async function idleWakeUps(): Promise<number> {
  using folder = temporary();
  const agent = new MessagingAgent({ dataDir: folder.path });
  await agent.addMessage(BODY);
  const forwarder = await startFixture("forward", folder.path, String(broker.port));
  while (agent.getNLatestMessages(1).length > 0) await sleep(10);
  await agent.teardown();
  await sleep(2_000);
  const before = wakeUpsOf(forwarder.pid ?? 0);
  await sleep(IDLE_SECONDS * 1_000);
  const after = wakeUpsOf(forwarder.pid ?? 0);
  forwarder.kill("SIGTERM");
  await once(forwarder, "exit");
  return (after - before) / IDLE_SECONDS;
}

// Compiled code, for both.
await drain(1);
await publishAll();

const [queue, bare] = await inTurn(ROUNDS, () => drain(1), publishAll);
printFigure({
  name: "end to end to mosquitto, 50 in flight",
  value: queue,
  unit: "messages/s",
  beside: { name: "bare MQTT.js, QoS 1, 50 in flight", value: bare },
  goal: { atLeast: 0.9 },
});

const [batched, unbatched] = await inTurn(
  ROUNDS,
  () => drain(BATCH, 4 * MESSAGES),
  () => drain(1),
);
printFigure({
  name: "end to end in batches of 50",
  value: batched,
  unit: "messages/s",
  beside: { name: "unbatched", value: unbatched },
  goal: { atLeast: 6 },
});

const times = await singleMessages();
const single = (part: number, atMost: number) =>
  printFigure({
    name: `add to acknowledgement and removal, idle system, p${100 * part}`,
    value: percentile(times, part),
    unit: "ms",
    goal: { atMost },
  });
single(0.5, 1);
single(0.99, 5);

printFigure({
  name: "wake-ups of an idle forwarder",
  value: await idleWakeUps(),
  unit: "1/s",
  goal: { atMost: 0.2 },
});
