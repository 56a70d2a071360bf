import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { connectAsync } from "mqtt";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { forward, type ServerProtocol } from "../src/forwarder.ts";
import { hasMosquitto } from "../src/testing.ts";
import { breakQueue, createAgent, number, temporary, valuesOf } from "../test/support.ts";
import { scriptedBroker } from "./scripted-broker.ts";
import { broker, listen, ONE_EACH, startForwarding, until, untilAllArrived, upTo } from "./support.ts";

/** Forwards from another process, and prints why it must not. */
const FORWARD = `
  import { MessagingAgent } from "@ivy/messaging";
  import { forward } from "@ivy/messaging/forwarder";
  const nothing = () => {};
  await forward({
    agent: new MessagingAgent({ dataDir: "DATA_DIR" }),
    protocol: { subscriptions: [], map: nothing, receive: nothing },
    broker: { host: "127.0.0.1", port: PORT, clientId: "second" },
    maxParallelMessages: 1,
    logger: { debug: nothing, info: nothing, warning: nothing, error: nothing },
    teardown: new AbortController().signal,
    drainSeconds: () => 0,
  }).catch(({ code, holder }) => console.log(code, holder));
`;

describe.skipIf(!hasMosquitto)("the forwarder and a broker (needs mosquitto)", () => {
  it("delivers what was there and what comes, in order, and empties the queue", async () => {
    const { port } = await broker();
    const received = await listen(port);
    const agent = createAgent(temporary());
    await agent.addMessages(upTo(500).map(number));
    startForwarding(agent, port);
    await until(() => expect(received).toHaveLength(500));
    await agent.addMessage(number(500));
    await until(() => expect(received).toEqual(upTo(501)));
    await until(() => expect(agent.getNLatestMessages(1)).toEqual([]));
  });

  it("waits for a broker that is not there yet", async () => {
    const { port, stop, start } = await broker();
    // Its subscription outlives the stop: nothing that is delivered then comes before it.
    const received = await listen(port);
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
    await until(() => expect(received).toEqual([0]));
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
      await until(() => expect(received.length).toBeGreaterThan(round * 300 + 10));
      await stop();
      await start();
    }
    await agent.addMessage(number(added++));
    await untilAllArrived(received, added, 3 * 50);
  });

  it("tells of every connection, of every acknowledgement, and of every end", async () => {
    const { port, stop, start } = await broker();
    const agent = createAgent(temporary());
    const events: string[] = [];
    startForwarding(agent, port, { onLink: (event) => events.push(event) });
    await until(() => expect(events).toEqual(["connected"]));
    await agent.addMessage(number(0));
    await until(() => expect(events).toEqual(["connected", "acknowledged"]));
    await stop();
    await until(() => expect(events.slice(2)).toEqual(["disconnected"]));
    await start();
    await until(() => expect(events.slice(3)).toEqual(["connected"]));
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
    await until(() => expect(received).toEqual([1, 5, 7, 9]));
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
    await until(() => expect(agent.getNLatestMessages(10)).toEqual([]));
  });

  it("sets aside at once what is mapped to a topic that is none, and closes no connection for it", async () => {
    const { port } = await broker();
    const received = await listen(port);
    const agent = createAgent(temporary());
    await agent.addMessages(upTo(4).map(number));
    const topics = ["numbers", "", "numbers\0", "numbers"];
    const map: ServerProtocol["map"] = (messages) => ({
      ...ONE_EACH.map(messages),
      publishes: ONE_EACH.map(messages).publishes.map((publish, index) => {
        const [value] = valuesOf(messages.slice(index));
        return { ...publish, topic: topics[Number(value)] ?? "" };
      }),
    });
    const { warnings } = startForwarding(agent, port, { protocol: { ...ONE_EACH, map } });
    await until(() => expect(agent.statistics()).toMatchObject({ queued: 0, dead: 2 }));
    await until(() => expect(received).toEqual([0, 3]));
    expect(warnings().filter((text) => !text?.startsWith("A message was set aside"))).toEqual([]);
  });

  it("ends with one error, and keeps the messages, where the protocol maps later", async () => {
    const { port } = await broker();
    const agent = createAgent(temporary());
    await agent.addMessage(number(0));
    const map = (async () => ({ publishes: [], settled: [], refused: [] })) as unknown;
    const running = forward({
      agent,
      protocol: { ...ONE_EACH, map: map as ServerProtocol["map"] },
      broker: { host: "127.0.0.1", port, clientId: "forwarder" },
      maxParallelMessages: 50,
      logger: { debug: vi.fn(), info: vi.fn(), warning: vi.fn(), error: vi.fn() },
      teardown: AbortSignal.timeout(20_000),
      drainSeconds: () => 0,
    });
    await expect(running).rejects.toMatchObject({ code: "IVY_FORWARDER_USAGE" });
    expect(agent.statistics()).toMatchObject({ queued: 1, dead: 0 });
  });

  it("is the only one of its queue: another one is told who forwards, and may begin when that has ended", async () => {
    const { port } = await broker();
    const received = await listen(port);
    const dataDir = temporary();
    const [agent, other] = [createAgent(dataDir), createAgent(dataDir)];
    const first = startForwarding(agent, port);
    await until(() => expect(first.logger.info).toHaveBeenCalled());
    const second = { host: "127.0.0.1", port, clientId: "second" };
    const program = FORWARD.replace("DATA_DIR", dataDir).replace("PORT", String(port));
    const args = ["--conditions=@ivy/source", "--input-type=module", "--eval", program];
    const where = { cwd: import.meta.dirname, timeout: 30_000 };
    const { stdout } = await promisify(execFile)(process.execPath, args, where);
    expect(stdout.trim()).toBe(`IVY_QUEUE_HELD ${process.pid}`);
    const third = startForwarding(other, port, { broker: second });
    await first.stop();
    await agent.addMessage(number(1));
    await until(() => expect(received).toEqual([1]));
    await third.stop();
  });

  it("goes on where the queue cannot be written to: tells of it once, although that is a message too, and repeats nothing", async () => {
    const { port } = await broker();
    const received = await listen(port);
    const dataDir = temporary();
    const agent = createAgent(dataDir);
    expect(agent.getNLatestMessages(1)).toEqual([]);
    const repair = breakQueue(dataDir);
    const { logger, stop } = startForwarding(agent, port);
    const told = { variant: "log", level: "ERROR", subject: "", body: "" } as const;
    logger.error.mockImplementation(() => void agent.addMessage(told));
    for (let value = 0; value < 200; value++) {
      await agent.addMessage(number(value));
      await until(() => expect(received).toContain(value));
    }
    expect(received.filter((value) => value === null)).toHaveLength(1);
    expect(received.filter((value) => value !== null)).toEqual(upTo(200));
    expect(logger.error).toHaveBeenCalledTimes(1);
    repair();
    await stop();
    expect(agent.getNLatestMessages(1)).toEqual([]);
  });

  it("comes back after the log could not be looked at for a moment", async () => {
    const { port } = await broker();
    const received = await listen(port);
    const agent = createAgent(temporary());
    const consumer = agent.openConsumer();
    vi.spyOn(agent, "openConsumer").mockReturnValue(consumer);
    const { logger } = startForwarding(agent, port);
    await agent.addMessage(number(0));
    await until(() => expect(received).toEqual([0]));
    vi.spyOn(consumer, "filesChanged").mockImplementationOnce(() => {
      throw Object.assign(new Error("no such file"), { code: "ENOENT" });
    });
    // The first error makes a file in a lane of its own.
    await agent.addMessage({ variant: "log", level: "ERROR", subject: "s", body: "b" });
    await until(() =>
      expect(logger.warning).toHaveBeenCalledWith(
        "no such file",
        expect.stringMatching(/^ENOENT; next attempt/),
      ),
    );
    await agent.addMessage(number(1));
    await until(() => expect(received).toEqual([0, null, 1]));
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
    const { port, seen } = await scriptedBroker({ publish: () => "ignore" });
    const agent = createAgent(temporary());
    await agent.addMessages(upTo(100).map(number));
    const { stop } = startForwarding(agent, port, { maxParallelMessages: 7, drainSeconds: () => 0 });
    await until(() => expect(seen).toHaveLength(7));
    await stop();
    expect(seen).toHaveLength(7);
    expect(valuesOf(agent.getNLatestMessages(1_000))).toEqual(upTo(100));
  });
});
