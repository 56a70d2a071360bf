import { connectAsync } from "mqtt";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Link, ServerProtocol } from "../src/forwarder.ts";
import { hasMosquitto } from "../src/testing.ts";
import { createAgent, number, temporary } from "../test/support.ts";
import { scriptedBroker } from "./scripted-broker.ts";
import { broker, listen, ONE_EACH, proxyTo, startForwarding, until, upTo } from "./support.ts";

async function agentWith(count: number) {
  const agent = createAgent(temporary());
  await agent.addMessages(upTo(count).map(number));
  return agent;
}

/** A server that notes what it gets, and answers questions. */
async function server(port: number) {
  const client = await connectAsync({ protocol: "mqtt", host: "127.0.0.1", port });
  onTestFinished(() => client.endAsync(true));
  const got: string[] = [];
  client.on("message", (topic, payload) => {
    got.push(`${topic} ${payload}`);
    if (topic === "question") client.publish("answer", `${payload}!`, { qos: 1 });
  });
  await client.subscribeAsync("#", { qos: 1 });
  return { client, got };
}

describe.skipIf(!hasMosquitto)("a protocol, beside the queue (needs mosquitto)", () => {
  it("asks at every connect, and has its answer before the first message is sent", async () => {
    const { port } = await broker();
    const { got } = await server(port);
    const proxy = await proxyTo({ port });
    const answers: string[] = [];
    let answered = Promise.withResolvers<void>();
    startForwarding(await agentWith(3), proxy.port, {
      protocol: {
        ...ONE_EACH,
        subscriptions: ["answer"],
        async connected(link) {
          answered = Promise.withResolvers();
          await link.publish("question", "limits");
          await answered.promise;
        },
        receive(_topic, payload) {
          answers.push(payload.toString());
          answered.resolve();
        },
      },
    });
    await until(() => expect(got).toContain("numbers [2]"));
    expect(got).toEqual(["question limits", "answer limits!", "numbers [0]", "numbers [1]", "numbers [2]"]);
    proxy.reset();
    await until(() => expect(answers).toEqual(["limits!", "limits!"]));
  });

  it("may wait for the acknowledgement of its answer, and acknowledges when it is done", async () => {
    const { port } = await broker();
    const { client, got } = await server(port);
    const agent = await agentWith(0);
    const handled: string[] = [];
    let connects = 0;
    let hanging = true;
    const protocol: ServerProtocol = {
      ...ONE_EACH,
      subscriptions: ["commands"],
      connected: () => void connects++,
      receive: async (_topic, payload, link) => {
        handled.push(payload.toString());
        if (hanging) await new Promise(() => {});
        await link.publish("done", payload);
      },
    };
    const first = startForwarding(agent, port, { protocol });
    await until(() => expect(connects).toBe(1));
    await client.publishAsync("commands", "open", { qos: 1 });
    await until(() => expect(handled).toEqual(["open"]));
    // One that hangs holds up nothing else.
    await agent.addMessage(number(7));
    await until(() => expect(got).toContain("numbers [7]"));
    await first.stop();
    hanging = false;
    // It was not done with, so it comes again; once it is, no more.
    const second = startForwarding(agent, port, { protocol });
    await until(() => expect(got).toContain("done open"));
    await client.publishAsync("commands", "close", { qos: 1 });
    await until(() => expect(got).toContain("done close"));
    await second.stop();
    startForwarding(agent, port, { protocol });
    await client.publishAsync("commands", "go", { qos: 1 });
    await until(() => expect(got).toContain("done go"));
    expect(handled.filter((command) => command === "open")).toHaveLength(2);
  });

  it("is handed over once more what it was not done with when the connection ended, and nothing else", async () => {
    const { port } = await broker();
    const { client } = await server(port);
    const proxy = await proxyTo({ port });
    const handled: string[] = [];
    const connected = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    startForwarding(await agentWith(0), proxy.port, {
      protocol: {
        ...ONE_EACH,
        subscriptions: ["commands"],
        connected: () => connected.resolve(),
        async receive(_topic, payload) {
          handled.push(payload.toString());
          if (handled.length === 1) await gate.promise;
        },
      },
    });
    await connected.promise;
    for (const command of ["one", "two"]) await client.publishAsync("commands", command, { qos: 1 });
    await until(() => expect(handled).toEqual(["one"]));
    proxy.reset();
    await until(() => expect(handled).toEqual(["one", "one", "two"]));
    gate.resolve();
    await client.publishAsync("commands", "three", { qos: 1 });
    await until(() => expect(handled).toContain("three"));
    expect(handled).toEqual(["one", "one", "two", "three"]);
  });

  it("takes nothing that it does not ask for, though the broker's session remembers what it once asked for", async () => {
    const { port } = await broker();
    const { client } = await server(port);
    const agent = await agentWith(0);
    const received: string[] = [];
    let connected = Promise.withResolvers<void>();
    const node = (name: string): ServerProtocol => ({
      ...ONE_EACH,
      subscriptions: [`configurations/${name}`],
      connected: () => connected.resolve(),
      receive: (topic, payload) => void received.push(`${name}: ${topic} ${payload}`),
    });
    const first = startForwarding(agent, port, { protocol: node("roof") });
    await connected.promise;
    await first.stop();
    await client.publishAsync("configurations/roof", "while away", { qos: 1 });
    connected = Promise.withResolvers();
    const second = startForwarding(agent, port, { protocol: node("cellar") });
    await connected.promise;
    await until(() => expect(second.warnings()).toHaveLength(1));
    for (const name of ["roof", "cellar"])
      await client.publishAsync(`configurations/${name}`, "later", { qos: 1 });
    await until(() => expect(received).toEqual(["cellar: configurations/cellar later"]));
    expect(second.warnings()).toEqual([expect.stringMatching(/configurations\/roof was not asked for/)]);
    await second.stop();
    // Its own again: what was published while nobody wanted it was not kept for it.
    await client.publishAsync("configurations/roof", "for nobody", { qos: 1 });
    startForwarding(agent, port, { protocol: node("roof") });
    await until(async () => {
      await client.publishAsync("configurations/roof", "new", { qos: 1 });
      expect(received).toContain("roof: configurations/roof new");
    });
    expect(received.join()).not.toMatch(/for nobody|while away/);
  });

  it("refuses messages for the same reason over two connections: that is told once, and all are set aside", async () => {
    const { port } = await broker();
    const proxy = await proxyTo({ port });
    const agent = await agentWith(3);
    const refuseAll: ServerProtocol["map"] = (messages) => ({
      publishes: [],
      settled: [],
      refused: messages.map(({ identifier }) => ({ identifier, reason: "no word for it" })),
    });
    const { warnings } = startForwarding(agent, proxy.port, { protocol: { ...ONE_EACH, map: refuseAll } });
    await until(() => expect(agent.statistics().dead).toBe(3));
    proxy.reset();
    await until(() => expect(proxy.accepted).toBe(2));
    await agent.addMessage(number(3));
    await until(() => expect(agent.statistics().dead).toBe(4));
    expect(warnings().filter((message) => message?.startsWith("A message was set aside"))).toHaveLength(1);
  });

  it("may fail at a connect: messages are sent all the same", async () => {
    const { port } = await broker();
    const arrived = await listen(port);
    const { logger, warnings } = startForwarding(await agentWith(3), port, {
      protocol: {
        ...ONE_EACH,
        connected: () => {
          throw new Error("not today");
        },
      },
    });
    await until(() => expect(arrived).toEqual([0, 1, 2]));
    expect(logger.error.mock.calls).toEqual([
      [expect.stringMatching(/at every connect/), "Error: not today"],
    ]);
    expect(warnings()).toEqual([]);
  });

  it("may ask on a topic that is none at a connect: messages are sent all the same, and once", async () => {
    const { port } = await broker();
    const arrived = await listen(port);
    const { logger, warnings } = startForwarding(await agentWith(3), port, {
      protocol: { ...ONE_EACH, connected: (link) => link.publish("", "?") },
      timeouts: { acknowledgementMs: 5_000 },
    });
    await until(() => expect(arrived).toEqual([0, 1, 2]));
    const reason = expect.stringMatching(/^ForwarderUsageError: the topic is ""/);
    expect(logger.error.mock.calls).toEqual([[expect.stringMatching(/at every connect/), reason]]);
    expect(warnings()).toEqual([]);
  });

  it("may never end at a connect: messages are sent all the same", async () => {
    const { port } = await broker();
    const arrived = await listen(port);
    const { logger } = startForwarding(await agentWith(3), port, {
      protocol: { ...ONE_EACH, connected: () => new Promise(() => {}) },
      timeouts: { acknowledgementMs: 3_000 },
    });
    await until(() => expect(arrived).toEqual([0, 1, 2]));
    expect(logger.error).toHaveBeenCalledTimes(1);
  });

  it("may ask for a clean session: nothing is kept for it while it is away", async () => {
    const { port } = await broker();
    const { client } = await server(port);
    const agent = await agentWith(0);
    const received: string[] = [];
    const protocol: ServerProtocol = {
      ...ONE_EACH,
      cleanSession: true,
      subscriptions: ["commands"],
      receive: (_topic, payload) => void received.push(payload.toString()),
    };
    const first = startForwarding(agent, port, { protocol });
    await until(async () => {
      await client.publishAsync("commands", "one", { qos: 1 });
      expect(received).toContain("one");
    });
    await first.stop();
    await client.publishAsync("commands", "two", { qos: 1 });
    startForwarding(agent, port, { protocol });
    await until(async () => {
      await client.publishAsync("commands", "three", { qos: 1 });
      expect(received).toContain("three");
    });
    expect(received).not.toContain("two");
  });
});

describe("a protocol's link", () => {
  it("tells of the connection's end, and so does what is published on it", async () => {
    const broker = await scriptedBroker({ publish: () => "ignore" });
    const links: Link[] = [];
    const outcomes: unknown[] = [];
    const { stop } = startForwarding(await agentWith(0), broker.port, {
      protocol: {
        ...ONE_EACH,
        connected(link) {
          links.push(link);
          link.publish("question", "?").catch((error) => outcomes.push(error));
        },
      },
      timeouts: { acknowledgementMs: 300 },
    });
    await until(() => expect(links.length).toBeGreaterThan(1));
    await stop();
    const lost = expect.objectContaining({ code: "IVY_CONNECTION_LOST" });
    expect(outcomes).toEqual(links.map(() => lost));
    expect(links.filter(({ signal }) => !signal.aborted)).toEqual([]);
    await expect(links[0]?.publish("question", "?")).rejects.toEqual(lost);
  });

  it("sets limits that hold for the queue too", async () => {
    const broker = await scriptedBroker({});
    const begin = performance.now();
    startForwarding(await agentWith(12), broker.port, {
      protocol: {
        ...ONE_EACH,
        connected: (link) => link.keepTo({ publishesUnderWay: 3, publishes: [{ count: 4, seconds: 0.5 }] }),
      },
    });
    await until(() => expect(broker.taken).toEqual(upTo(12).map((value) => `[${value}]`)));
    // Four each half a second: the last four go in the third.
    expect(performance.now() - begin).toBeGreaterThan(950);
  });
});
