import { describe, expect, it } from "vitest";
import { hasMosquitto } from "../src/testing.ts";
import { createAgent, number, temporary, valuesOf } from "../test/support.ts";
import { scriptedBroker } from "./scripted-broker.ts";
import { broker, listen, startForwarding, TOGETHER, until, upTo } from "./support.ts";

async function agentWith(values: readonly number[]) {
  const agent = createAgent(temporary());
  await agent.addMessages(values.map(number));
  return agent;
}

const payloads = (values: readonly number[]) => values.map((value) => `[${value}]`);

describe.skipIf(!hasMosquitto)(
  "a message that makes the broker close the connection (needs mosquitto)",
  () => {
    it("is set aside with the reason, and all others arrive in order, none more than twice", async () => {
      const { port } = await broker({ largestPacket: 1_000 });
      const arrived = await listen(port);
      const agent = await agentWith(upTo(100));
      const { warnings } = startForwarding(agent, port, {
        protocol: {
          ...TOGETHER,
          map: (messages) => {
            const { publishes, ...others } = TOGETHER.map(messages);
            const tooLarge = valuesOf(messages).includes(20) ? " ".repeat(1_000) : "";
            return {
              ...others,
              publishes: publishes.map((publish) => ({ ...publish, payload: publish.payload + tooLarge })),
            };
          },
        },
      });
      await until(() => expect(agent.statistics().dead).toBe(1), 40_000);
      await until(() => expect(agent.getNLatestMessages(1)).toEqual([]));
      const [dead] = agent.deadLetters(10);
      const reason = expect.stringMatching(
        /closed the connection each of the 3 times in a row that this message was alone/,
      );
      expect([valuesOf(dead ? [dead] : []), dead?.reason]).toEqual([[20], reason]);
      await until(() => expect([...new Set(arrived)]).toEqual(upTo(100).filter((value) => value !== 20)));
      expect(arrived.length).toBeLessThanOrEqual(2 * 99);
      expect(warnings()).toContainEqual(expect.stringMatching(/^A message was set aside/));
    });
  },
);

describe("a message that is alone under way when the connection is closed", () => {
  it("is sent again in its turn", async () => {
    let closings = 0;
    const { port, taken } = await scriptedBroker({
      publish: () => (closings++ === 0 ? "close" : "acknowledge"),
    });
    const agent = await agentWith(upTo(10));
    startForwarding(agent, port, { maxParallelMessages: 1 });
    await until(() => expect(taken).toEqual(payloads(upTo(10))));
    expect(agent.statistics().dead).toBe(0);
  });

  it("is not condemned by a server that refuses everything for a while", async () => {
    let refusals = 2;
    const broker = await scriptedBroker({ publish: () => (refusals-- > 0 ? "close" : "acknowledge") });
    const agent = await agentWith(upTo(10));
    startForwarding(agent, broker.port, { maxParallelMessages: 1 });
    await until(() => expect(agent.getNLatestMessages(1)).toEqual([]));
    expect(agent.statistics().dead).toBe(0);
    expect(broker.seen.slice(0, 2)).toEqual(payloads([0, 0]));
    // The one that showed whether others get through went first.
    expect(broker.taken).toEqual(payloads([1, 0, 2, 3, 4, 5, 6, 7, 8, 9]));
  });
});
