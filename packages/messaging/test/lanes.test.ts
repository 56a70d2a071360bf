import { appendFileSync } from "node:fs";
import type { MessageBody } from "@ivy/types";
import { describe, expect, it } from "vitest";
import type { Consumer } from "../src/index.ts";
import { encodeRecord } from "../src/log/record.ts";
import { createAgent, number, temporary } from "./support.ts";

const log = (level: "INFO" | "ERROR", subject: string): MessageBody => ({
  variant: "log",
  level,
  subject,
  body: "",
});
const answer = (config_revision: number): MessageBody => ({
  variant: "config",
  status: "accepted",
  config: { general: { config_revision } },
});

/** What messages say, in short. */
const said = (taken: ReturnType<Consumer["take"]>) =>
  taken.map(({ record }) => {
    const body = record.m as MessageBody;
    if (body.variant === "data") return body.data["value"];
    return body.variant === "log" ? body.subject : `r${body.config.general.config_revision}`;
  });

describe("urgent messages", () => {
  it("overtake a backlog of others, in their own order, and the others keep theirs", async () => {
    const agent = createAgent(temporary());
    await agent.addMessages([1, 2, 3].map(number));
    await agent.addMessage(log("INFO", "fine"));
    await agent.addMessage(log("ERROR", "broken"));
    await agent.addMessages([number(4), answer(7)]);
    await agent.addMessage(number(5), { urgent: true });
    const consumer = agent.openConsumer();
    expect(said(consumer.take(4))).toEqual(["broken", "r7", 5, 1]);
    await agent.addMessage(answer(8));
    consumer.filesChanged();
    expect(said(consumer.take(10))).toEqual(["r8", 2, 3, "fine", 4]);
  });

  it("are read first by whoever reads the queue, and are in the archive at their time", async () => {
    let now = Date.parse("2026-03-01T00:00:00Z");
    const agent = createAgent(temporary(), { now: () => now++ });
    await agent.addMessage(number(1));
    await agent.addMessage(answer(7));
    await agent.addMessage(number(2));
    const variants = (items: { message_body: MessageBody }[]) =>
      items.map((item) => item.message_body.variant);
    expect(variants(agent.getNLatestMessages(10))).toEqual(["config", "data", "data"]);
    expect(variants(agent.loadMessageArchive("2026-03-01"))).toEqual(["data", "config", "data"]);
  });
});

describe("a backlog that is set apart", () => {
  it("is handed out only when asked for, while what is new and what is urgent comes at once", async () => {
    const agent = createAgent(temporary());
    await agent.addMessages([1, 2, 3, 4].map(number));
    const consumer = agent.openConsumer();
    consumer.setBacklogApart();
    expect(consumer.take(10)).toEqual([]);
    expect(said(consumer.takeBacklog(2))).toEqual([1, 2]);
    await agent.addMessages([number(5), answer(7)]);
    consumer.filesChanged();
    expect(said(consumer.take(10))).toEqual(["r7", 5]);
    expect(said(consumer.takeBacklog(10))).toEqual([3, 4]);
    expect(consumer.takeBacklog(10)).toEqual([]);
  });

  it("does not end within a message that is just being written", async () => {
    const agent = createAgent(temporary());
    await agent.addMessage(number(1));
    const consumer = agent.openConsumer();
    const line = Buffer.from(encodeRecord({ id: "x-1", t: 1, m: number(2) }));
    const file = agent.getMessageArchiveFile();
    appendFileSync(file, line.subarray(0, 30));
    consumer.setBacklogApart();
    expect(said(consumer.takeBacklog(10))).toEqual([1]);
    expect(consumer.take(10)).toEqual([]);
    appendFileSync(file, line.subarray(30));
    expect(said(consumer.take(10))).toEqual([2]);
  });

  it("is exactly what is left of it after a restart, whatever newer has been sent", async () => {
    const dataDir = temporary();
    const agent = createAgent(dataDir);
    await agent.addMessages([1, 2, 3].map(number));
    const consumer = agent.openConsumer();
    consumer.setBacklogApart();
    await agent.addMessages([4, 5].map(number));
    const settled = [...consumer.take(1), ...consumer.takeBacklog(1)];
    consumer.settle({ removed: settled.map(({ identifier }) => identifier) });
    expect(said(settled)).toEqual([4, 1]);
    const next = createAgent(dataDir).openConsumer();
    next.setBacklogApart();
    expect(said(next.takeBacklog(10))).toEqual([2, 3, 5]);
    next.release();
    next.setBacklogApart();
    expect(said(next.takeBacklog(10))).toEqual([2, 3, 5]);
  });
});
