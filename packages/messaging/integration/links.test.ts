import { connectAsync } from "mqtt";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { brokerAnswers, type ServerProtocol, tryBroker } from "../src/forwarder.ts";
import { hasMosquitto } from "../src/testing.ts";
import { createAgent, number, temporary, valuesOf } from "../test/support.ts";
import { scriptedBroker } from "./scripted-broker.ts";
import {
  broker,
  listen,
  ONE_EACH,
  proxyTo,
  startForwarding,
  TOGETHER,
  until,
  untilAllArrived,
  upTo,
} from "./support.ts";

const PARALLEL = 50;

/** An agent with so many numbers in its queue. */
async function agentWith(count: number) {
  const agent = createAgent(temporary());
  await agent.addMessages(upTo(count).map(number));
  return agent;
}

describe.skipIf(!hasMosquitto)("a link that fails (needs mosquitto)", () => {
  it("is cut within a packet, again and again: all numbers arrive, in order", async () => {
    const { port } = await broker();
    const arrived = await listen(port);
    const proxy = await proxyTo({ port });
    const agent = await agentWith(500);
    const cuts = 3;
    proxy.cutAfter(1_003);
    startForwarding(agent, proxy.port);
    for (let cut = 1; cut < cuts; cut++) {
      await until(() => expect(proxy.accepted).toBe(cut + 1));
      proxy.cutAfter(1_003);
    }
    await untilAllArrived(arrived, 500, cuts * PARALLEL);
    expect(proxy.accepted).toBe(cuts + 1);
  });

  it("is reset: all numbers arrive, in order", async () => {
    const { port } = await broker();
    const arrived = await listen(port);
    const proxy = await proxyTo({ port });
    const agent = await agentWith(500);
    const { warnings } = startForwarding(agent, proxy.port);
    await until(() => expect(arrived.length).toBeGreaterThan(100));
    proxy.reset();
    await untilAllArrived(arrived, 500, PARALLEL);
    expect(warnings()).toEqual([expect.stringMatching(/is lost: .*(ECONNRESET|has closed it)/)]);
  });

  it("goes dead while messages are under way: the acknowledgements are missed", async () => {
    const { port } = await broker();
    const arrived = await listen(port);
    const proxy = await proxyTo({ port });
    const agent = await agentWith(10);
    const { warnings } = startForwarding(agent, proxy.port, { timeouts: { acknowledgementMs: 4_000 } });
    await until(() => expect(arrived).toEqual(upTo(10)));
    proxy.halfOpen();
    await agent.addMessages(upTo(20).slice(10).map(number));
    await untilAllArrived(arrived, 20, PARALLEL);
    expect(warnings()).toEqual([
      "The connection to the broker is lost: the broker has not acknowledged for 4 s",
    ]);
  });

  it("goes dead while nothing is sent: the broker's sign of life is missed", async () => {
    const { port } = await broker();
    const proxy = await proxyTo({ port });
    const { warnings, logger } = startForwarding(await agentWith(0), proxy.port, {
      timeouts: { keepAliveMs: 4_000 },
    });
    await until(() => expect(logger.info).toHaveBeenCalled());
    const before = proxy.accepted;
    proxy.halfOpen();
    await until(() => expect(proxy.accepted).toBeGreaterThan(before));
    expect(warnings()).toEqual(["The connection to the broker is lost: the broker no longer answers"]);
  });

  it("answers nothing at first: it is given up, and tried again", async () => {
    const { port } = await broker();
    const arrived = await listen(port);
    const proxy = await proxyTo({ port });
    proxy.blackHole();
    const { warnings } = startForwarding(await agentWith(10), proxy.port, { timeouts: { connectMs: 300 } });
    await until(() =>
      expect(warnings()).toEqual([expect.stringMatching(/cannot be reached: it does not answer/)]),
    );
    await proxy.restore();
    await untilAllArrived(arrived, 10, 0);
  });

  it("stays away: the limits of the queue are kept, and what that costs is told", async () => {
    const closed = await proxyTo({ port: 1 });
    let now = Date.parse("2026-03-01T12:00:00Z");
    const onIncident = vi.fn();
    const agent = createAgent(temporary(), { limits: { queueBytes: 400 }, now: () => now, onIncident });
    startForwarding(agent, closed.port);
    for (const value of upTo(6)) {
      await agent.addMessage(number(value));
      now += 86_400_000;
    }
    await until(() => expect(agent.statistics().dropped).toBeGreaterThan(0));
    expect(onIncident.mock.calls[0]?.[0]).toMatch(/wait to be sent/);
  });

  it("refuses connections for a while: it is told once", async () => {
    const { port } = await broker();
    const arrived = await listen(port);
    const proxy = await proxyTo({ port });
    proxy.refuse();
    const { warnings, logger } = startForwarding(await agentWith(10), proxy.port);
    await until(() => expect(logger.debug).toHaveBeenCalled());
    expect(warnings()).toEqual([expect.stringMatching(/cannot be reached: connect ECONNREFUSED/)]);
    await proxy.restore();
    await untilAllArrived(arrived, 10, 0);
  });

  it("is slow: batches are under way together, and nothing is sent twice", async () => {
    const { port } = await broker();
    const arrived = await listen(port);
    const proxy = await proxyTo({ port });
    proxy.delay(300);
    const agent = await agentWith(1_000);
    /** How many messages had arrived when each batch was sent. */
    const arrivedBefore: number[] = [];
    const map: ServerProtocol["map"] = (messages) => {
      arrivedBefore.push(arrived.length);
      return TOGETHER.map(messages);
    };
    startForwarding(agent, proxy.port, {
      protocol: { ...TOGETHER, map },
      maxParallelMessages: 500,
      batchSize: 50,
    });
    await untilAllArrived(arrived, 1_000, 0);
    // As many batches as may be are sent before anything of the first one is heard.
    expect(arrivedBefore.slice(0, 10)).toEqual(Array(10).fill(0));
  });
});

describe("the name of a broker that cannot be resolved", () => {
  it("is told once, with what it means, and tried again", async () => {
    const { warnings, logger, stop } = startForwarding(await agentWith(1), 1_883, {
      broker: { host: "broker.invalid", port: 1_883, clientId: "forwarder" },
    });
    await until(() => expect(logger.debug).toHaveBeenCalled(), 50_000);
    expect(warnings()).toEqual([
      expect.stringMatching(
        /^The broker broker.invalid:1883 cannot be reached: .*; the name is wrong, or there is no DNS/,
      ),
    ]);
    expect(logger.warning.mock.calls[0]?.[1]).toMatch(/^IVY_BROKER_UNREACHABLE; next attempt in/);
    await stop();
  });
});

describe.skipIf(!hasMosquitto)("a second client with the same client id (needs mosquitto)", () => {
  it("is told of, and neither makes a tight loop nor loses messages", async () => {
    const { port } = await broker();
    const arrived = await listen(port);
    const proxy = await proxyTo({ port });
    const agent = await agentWith(100);
    const { warnings } = startForwarding(agent, proxy.port);
    await until(() => expect(arrived).toHaveLength(100));
    const rival = await connectAsync({ host: "127.0.0.1", port, clientId: "forwarder", reconnectPeriod: 50 });
    onTestFinished(() => rival.endAsync(true));
    rival.on("error", () => undefined);
    const hint = expect.stringMatching(/probably another client uses the client id forwarder too/);
    await until(() => expect(warnings()).toContainEqual(hint));
    expect(proxy.accepted).toBeLessThan(6);
    await agent.addMessage(number(100));
    await rival.endAsync(true);
    await untilAllArrived(arrived, 101, 1);
    expect(warnings()).toHaveLength(2);
  });
});

describe("a broker that is none", () => {
  it("welcomes and closes at once: that is told once, with what it probably means", async () => {
    const broker = await scriptedBroker({ closesAtOnce: true });
    const { logger } = startForwarding(await agentWith(0), broker.port);
    const told: number[] = [];
    // There may be another connection before anybody looks.
    logger.warning.mockImplementation(() => told.push(broker.connections));
    await until(() => expect(told).toEqual([1, 3]));
  });

  it("never acknowledges: all messages are kept, and sent again over another connection", async () => {
    let acknowledging = false;
    const { port, seen, taken } = await scriptedBroker({
      publish: () => (acknowledging ? "acknowledge" : "ignore"),
    });
    const agent = await agentWith(100);
    const { warnings } = startForwarding(agent, port, { timeouts: { acknowledgementMs: 1_500 } });
    await until(() => expect(seen.length).toBeGreaterThanOrEqual(2 * PARALLEL));
    expect(valuesOf(agent.getNLatestMessages(1_000))).toEqual(upTo(100));
    expect(warnings()).toEqual([expect.stringMatching(/has not acknowledged for 1.5 s/)]);
    acknowledging = true;
    await until(() => expect(taken).toEqual(upTo(100).map((value) => `[${value}]`)));
  });

  it("does not answer to a subscription: the connection is given up", async () => {
    const broker = await scriptedBroker({ subscribeCode: null });
    const { warnings } = startForwarding(await agentWith(1), broker.port, {
      protocol: { ...ONE_EACH, subscriptions: ["commands"] },
      timeouts: { acknowledgementMs: 300 },
    });
    const warning = expect.stringMatching(/does not answer to a subscription/);
    await until(() => expect(warnings()).toEqual([warning]));
  });

  it("refuses a subscription: it is told once which, not tried again soon, and messages are kept", async () => {
    const broker = await scriptedBroker({ subscribeCode: 0x80 });
    const agent = await agentWith(10);
    const { logger } = startForwarding(agent, broker.port, {
      protocol: { ...ONE_EACH, subscriptions: ["commands/secret"] },
    });
    await until(() => expect(logger.warning).toHaveBeenCalled());
    expect(logger.warning.mock.calls).toEqual([
      [
        expect.stringMatching(/refuses the subscription to commands\/secret:/),
        expect.stringMatching(/^IVY_SUBSCRIPTION_REFUSED; next attempt in [1-6]\d\.\d s$/),
      ],
    ]);
    expect(broker.seen).toEqual([]);
    expect(valuesOf(agent.getNLatestMessages(100))).toEqual(upTo(10));
  });

  it("resets the connection at the end: all that was asked of it is done", async () => {
    const { port, taken } = await scriptedBroker({ resetsAtTheEnd: true });
    const broker = { host: "127.0.0.1", port, clientId: "probe" };
    const { signal } = new AbortController();
    await expect(brokerAnswers(broker, signal)).resolves.toBe(true);
    await expect(tryBroker(broker, { timeoutMs: 20_000, signal })).resolves.toBeGreaterThanOrEqual(0);
    const agent = createAgent(temporary());
    await agent.addMessage(number(0));
    const { stop, warnings } = startForwarding(agent, port, { drainSeconds: () => 10 });
    await until(() => expect(taken).toHaveLength(1));
    await stop();
    expect(warnings()).toEqual([]);
  });
});

describe("the time to go on sending at the end", () => {
  it("may be without limit: everything is sent", async () => {
    const { port, taken } = await scriptedBroker({});
    const { stop, logger } = startForwarding(await agentWith(60), port, {
      protocol: {
        ...ONE_EACH,
        connected: (link) => link.keepTo({ publishes: [{ count: 20, seconds: 0.3 }] }),
      },
      drainSeconds: () => Number.POSITIVE_INFINITY,
    });
    await until(() => expect(taken.length).toBeGreaterThan(0));
    await stop();
    expect(taken).toHaveLength(60);
    expect(logger.error).not.toHaveBeenCalled();
  });

  it.each<[string, () => number]>([
    ["is no number", () => Number.NaN],
    [
      "cannot be told",
      () => {
        throw new Error("not today");
      },
    ],
  ])("is none where it %s, and the messages stay", async (_, drainSeconds) => {
    const { port } = await scriptedBroker({ publish: () => "ignore" });
    const agent = await agentWith(3);
    const { stop, logger } = startForwarding(agent, port, { drainSeconds });
    await until(() => expect(logger.info).toHaveBeenCalled());
    await stop();
    expect(logger.error.mock.calls).toEqual([
      [
        expect.stringMatching(/^How long to go on sending is not known/),
        expect.stringMatching(/NaN|not today/),
      ],
    ]);
    expect(agent.getNLatestMessages(10)).toHaveLength(3);
  });
});
