import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createAgent, number, temporary, valuesOf } from "./support.ts";

const NOON = Date.UTC(2026, 2, 1, 12);
const HOUR_MS = 3_600_000;

describe("the messages of a period", () => {
  it("begin with its first instant and end before its last, urgent ones in between by their time", async () => {
    let now = NOON;
    const agent = createAgent(temporary(), { revision: 7, now: () => now });
    for (let value = 0; value < 6; value++, now += HOUR_MS)
      await agent.addMessage(number(value), { urgent: value === 2 });
    const period = { fromMs: NOON + HOUR_MS, toMs: NOON + 4 * HOUR_MS };
    const found = [...agent.messagesOf(period)];
    expect(valuesOf(found)).toEqual([1, 2, 3]);
    expect(found[0]).toMatchObject({ timestamp: (NOON + HOUR_MS) / 1_000, revision: 7 });
  });

  it("come with their bodies in JSON, as they were written, for whoever wants no more", async () => {
    const agent = createAgent(temporary(), { revision: 7, now: () => NOON });
    await agent.addMessage({ variant: "data", data: { place: 'Füssen, "m":1', value: -0.5 } });
    expect([...agent.textsOf({ fromMs: NOON, toMs: NOON + 1 })]).toEqual([
      {
        timestamp: NOON / 1_000,
        revision: 7,
        message_body: '{"variant":"data","data":{"place":"Füssen, \\"m\\":1","value":-0.5}}',
      },
    ]);
  });

  it("are found in whatever file they lie: the clock may have been wrong", async () => {
    let now = NOON + 240 * HOUR_MS;
    const agent = createAgent(temporary(), { now: () => now });
    await agent.addMessage(number(1));
    now = NOON;
    await agent.addMessage(number(2));
    now = NOON + 48 * HOUR_MS;
    await agent.addMessage(number(3));
    expect(valuesOf([...agent.messagesOf({ fromMs: NOON, toMs: NOON + 72 * HOUR_MS })])).toEqual([2, 3]);
  });

  it("are all that can be read of a file with damaged lines, and texts beyond ASCII", async () => {
    const dataDir = temporary();
    const agent = createAgent(dataDir, { now: () => NOON });
    for (let value = 0; value < 5; value++) await agent.addMessage(number(value));
    await agent.addMessage({ variant: "data", data: { place: "Füssen" } });
    const folder = join(dataDir, "messages");
    const file = join(folder, readdirSync(folder)[0] ?? "");
    const lines = readFileSync(file, "utf8").split("\n");
    // The second message is torn, with the third one behind it in the same line; the fourth is damaged.
    lines.splice(2, 3, `${lines[2]?.slice(0, 30)}${lines[3]}`, lines[4]?.replace('"data"', '"date"') ?? "");
    writeFileSync(file, lines.join("\n"));
    const found = [...agent.messagesOf({ fromMs: NOON, toMs: NOON + 1 })];
    expect(valuesOf(found.slice(0, -1))).toEqual([0, 2, 4]);
    expect(found.at(-1)?.message_body).toMatchObject({ data: { place: "Füssen" } });
  });

  it("of Python Ivy come first", async () => {
    const dataDir = temporary();
    const agent = createAgent(dataDir, { now: () => NOON });
    await agent.addMessage(number(2));
    const body = JSON.stringify(number(1)).replaceAll('"', '""');
    writeFileSync(
      join(dataDir, "messages/2026-03-01.csv"),
      `timestamp,message_body\n${NOON / 1_000},"${body}"\n`,
    );
    expect(valuesOf([...agent.messagesOf({ fromMs: NOON, toMs: NOON + 1 })])).toEqual([1, 2]);
  });

  it("of Python Ivy with a line that a power cut has torn lose no more than that line", async () => {
    const dataDir = temporary();
    const told: string[] = [];
    const agent = createAgent(dataDir, { now: () => NOON, onIncident: (text) => told.push(text) });
    await agent.addMessage(number(4));
    const line = (value: number) =>
      `${NOON / 1_000},"${JSON.stringify(number(value)).replaceAll('"', '""')}"\n`;
    const file = join(dataDir, "messages/2026-03-01.csv");
    writeFileSync(file, `timestamp,message_body\n${line(1)}${line(2).slice(0, 30)}${line(2)}${line(3)}`);
    expect(valuesOf([...agent.messagesOf({ fromMs: NOON, toMs: NOON + 1 })])).toEqual([1, 3, 4]);
    expect(told).toEqual([expect.stringContaining(`${file}: line 3 `)]);
  });

  it("of Python Ivy are looked for in files of that time only", async () => {
    const dataDir = temporary();
    const told: string[] = [];
    const agent = createAgent(dataDir, { now: () => NOON, onIncident: (text) => told.push(text) });
    await agent.addMessage(number(1));
    writeFileSync(
      join(dataDir, "messages/2025-03-01.csv"),
      "timestamp,message_body\nnothing that can be read\n",
    );
    expect(valuesOf([...agent.messagesOf({ fromMs: NOON, toMs: NOON + 1 })])).toEqual([1]);
    expect(told).toEqual([]);
  });
});
