import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MessagingAgent } from "../src/index.ts";
import { writeLastSequences } from "../src/log/last-sequences.ts";
import { seal } from "../src/log/seal.ts";
import { createAgent, number, temporary, valuesOf } from "./support.ts";

const refused = { code: "IVY_ARGUMENT_INVALID" };

describe("an agent refuses", () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1.5, "7"])("the revision %s", (revision) => {
    const create = () => new MessagingAgent({ dataDir: temporary(), revision: revision as number });
    expect(create).toThrow(expect.objectContaining(refused));
    expect(create).toThrow(`revision must be a whole number; came ${revision}`);
  });

  it.each([
    ["in microseconds", Date.now() * 1_000],
    ["before 1970", -1],
    ["that is no number", Number.NaN],
  ])("to add with a clock %s", async (_, time) => {
    const agent = createAgent(temporary(), { now: () => time });
    await expect(agent.addMessage(number(1))).rejects.toMatchObject(refused);
    await expect(agent.addMessage(number(1))).rejects.toThrow(`came ${time}`);
  });

  it("a durability that there is not, of all messages and of one", async () => {
    const durability = "synch" as "sync";
    expect(() => new MessagingAgent({ dataDir: temporary(), durability })).toThrow(
      /sync, window, fast; came synch/,
    );
    const agent = createAgent(temporary());
    await expect(agent.addMessage(number(1), { durability })).rejects.toMatchObject(refused);
    await expect(agent.addMessages([number(1)], { durability })).rejects.toMatchObject(refused);
    expect(agent.getNLatestMessages(10)).toEqual([]);
  });
});

it("a line of the log that is sealed and no JSON loses that line only", async () => {
  const dataDir = temporary();
  const agent = createAgent(dataDir);
  await agent.addMessage(number(1));
  appendFileSync(agent.getMessageArchiveFile(), seal('{"v":1,"id":"a-1","t":1,"r":NaN,"m":{}'));
  await agent.addMessage(number(2));
  expect(valuesOf(agent.getNLatestMessages(10))).toEqual([1, 2]);
  expect(valuesOf([...agent.messagesOf({ fromMs: 0, toMs: Date.now() + 1 })])).toEqual([1, 2]);
});

it("a number of messages is rounded down, and may be infinite", { timeout: 20_000 }, async () => {
  const agent = createAgent(temporary());
  await agent.addMessages([1, 2, 3].map(number));
  expect(valuesOf(agent.getNLatestMessages(1.5))).toEqual([1]);
  expect(valuesOf(agent.getNLatestMessages(Number.POSITIVE_INFINITY))).toEqual([1, 2, 3]);
  const consumer = agent.openConsumer();
  expect(consumer.take(2.5)).toHaveLength(2);
  agent.setAside(agent.getNLatestMessages(3).map(({ identifier }) => ({ identifier, reason: "too large" })));
  const counts = [1.5, Number.POSITIVE_INFINITY, 0, -1, Number.NaN];
  expect(counts.map((count) => agent.deadLetters(count).length)).toEqual([1, 3, 0, 0, 0]);
});

it("a log that has had all files that it can have takes nothing more, and says what to do", async () => {
  const dataDir = temporary();
  mkdirSync(join(dataDir, "messages"));
  writeLastSequences(join(dataDir, "messages.sequences"), { urgent: 2 ** 18 - 1, regular: 2 ** 18 - 2 });
  const agent = createAgent(dataDir);
  await agent.addMessage(number(1));
  expect(valuesOf(agent.getNLatestMessages(10))).toEqual([1]);
  const attempt = agent.addMessage(number(2), { urgent: true });
  await expect(attempt).rejects.toMatchObject({ code: "IVY_STORE_WRITE" });
  await expect(attempt).rejects.toThrow(/once everything is sent, move .*messages.sequences away/);
});
