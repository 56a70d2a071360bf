import { describe, expect, it } from "vitest";
import { hasMosquitto } from "../src/testing.ts";
import { createAgent, number, temporary } from "../test/support.ts";
import { broker, listen, proxyTo, startForwarding, TOGETHER, until, upTo } from "./support.ts";

const BACKLOG = 300;
const RATE = 100;

describe.skipIf(!hasMosquitto)("a backlog after an outage (needs mosquitto)", () => {
  it("drains at its pace and in order, while what is new goes first and in order", async () => {
    const { port } = await broker();
    const arrived = await listen(port);
    const agent = createAgent(temporary());
    await agent.addMessages(upTo(BACKLOG).map(number));
    const begin = performance.now();
    startForwarding(agent, port, { protocol: TOGETHER, backlogRate: RATE });
    await until(() => expect(arrived.length).toBeGreaterThan(0));
    const fresh = upTo(10).map((value) => 1_000 + value);
    for (const value of fresh) await agent.addMessage(number(value));
    await until(() => expect(arrived).toHaveLength(BACKLOG + fresh.length));
    const seconds = (performance.now() - begin) / 1_000;
    expect(arrived.filter((value) => value < BACKLOG)).toEqual(upTo(BACKLOG));
    expect(arrived.filter((value) => value >= BACKLOG)).toEqual(fresh);
    // The last of the backlog comes behind all that is new.
    expect(arrived.at(-1)).toBe(BACKLOG - 1);
    // A full batch goes at once; the rest takes its time.
    expect(seconds).toBeGreaterThan((BACKLOG - 50) / RATE - 0.1);
  });

  it("is what was under way at a cut, too; nothing is lost, and nothing of it overtakes itself", async () => {
    const { port } = await broker();
    const arrived = await listen(port);
    const proxy = await proxyTo({ port });
    const agent = createAgent(temporary());
    await agent.addMessages(upTo(100).map(number));
    startForwarding(agent, proxy.port, { backlogRate: RATE * 10 });
    await until(() => expect(arrived.length).toBeGreaterThan(20));
    proxy.reset();
    await agent.addMessages([number(1_000), number(1_001)]);
    await until(() => expect(agent.getNLatestMessages(1)).toEqual([]));
    // What the broker has taken need not have come to the listener yet.
    await until(() => expect(new Set(arrived).size).toBe(102));
    const unique = [...new Set(arrived)];
    expect(unique.filter((value) => value < 100)).toEqual(upTo(100));
    expect(unique.filter((value) => value >= 100)).toEqual([1_000, 1_001]);
  });
});
