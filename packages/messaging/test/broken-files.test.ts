import { cpSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { MessagingAgent } from "../src/index.ts";
import { LogFolder } from "../src/log/folder.ts";
import { encodeRecord } from "../src/log/record.ts";
import { LogWriter } from "../src/log/writer.ts";
import { createAgent, number, temporary, valuesOf } from "./support.ts";

const Sqlite = createRequire(import.meta.url)("better-sqlite3") as typeof import("better-sqlite3");
const QUEUE = "active-message-queue.sqlite3";

/** A store of ten messages, of which the first, the third and the fourth are done, and the second is a dead letter. */
async function store(): Promise<string> {
  const dataDir = temporary();
  const agent = new MessagingAgent({ dataDir });
  await agent.addMessages(Array.from({ length: 10 }, (_, value) => number(value)));
  const all = agent.getNLatestMessages(10);
  agent.removeMessages([0, 2, 3].map((index) => all[index]?.identifier ?? 0));
  agent.setAside([{ identifier: all[1]?.identifier ?? 0, reason: "too large" }]);
  await agent.teardown();
  return dataDir;
}

/** Opens a store and reads its queue. */
async function open(dataDir: string) {
  const onIncident = vi.fn();
  const agent = new MessagingAgent({ dataDir, onIncident });
  const values = valuesOf(agent.getNLatestMessages(100));
  const dead = agent.deadLetters(10).map(({ reason }) => reason);
  await agent.addMessage(number(99));
  const after = valuesOf(agent.getNLatestMessages(100));
  await agent.teardown();
  return { values, dead, after, incidents: onIncident.mock.calls.flat() as string[] };
}

/** Appends to the log as a process of some boot of the machine; returns the file. */
function writeInBoot(dataDir: string, boot: string, ...values: number[]): string {
  const writer = new LogWriter(new LogFolder(join(dataDir, "messages"), boot), "regular", () => Date.now());
  for (const value of values)
    writer.append(Buffer.from(encodeRecord({ id: `${boot}-${value}`, t: 1, m: number(value) })));
  const { path } = writer;
  writer.close();
  return path;
}

const LEFT = [4, 5, 6, 7, 8, 9];

describe("a queue whose database", () => {
  it("has any byte changed sends everything that is left, and with its checkpoint nothing else", {
    timeout: 60_000,
  }, async () => {
    const sound = await store();
    const bytes = readFileSync(join(sound, QUEUE));
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const dataDir = temporary();
        cpSync(sound, dataDir, { recursive: true });
        const broken = Buffer.from(bytes);
        broken[at] = (broken[at] ?? 0) ^ change;
        writeFileSync(join(dataDir, QUEUE), broken);
        const { values, after } = await open(dataDir);
        expect(values).toEqual(LEFT);
        expect(after).toEqual([...LEFT, 99]);
      }),
      // The format of the schema.
      { numRuns: 60, examples: [[47, 1]] },
    );
  });

  it.each([0, 100, 1_024, 3_000])("is cut to %i bytes sends everything that is left", async (length) => {
    const dataDir = await store();
    truncateSync(join(dataDir, QUEUE), length);
    expect((await open(dataDir)).values).toEqual(LEFT);
  });

  it("is damaged, and its checkpoint too, sends everything once more", async () => {
    const dataDir = await store();
    writeFileSync(join(dataDir, QUEUE), "garbage ".repeat(1_000));
    writeFileSync(join(dataDir, `${QUEUE}.checkpoint`), "garbage");
    const { values, incidents } = await open(dataDir);
    expect(values).toEqual([0, 1, 2, 3, ...LEFT]);
    expect(incidents).toEqual([
      expect.stringMatching(/cannot be used .* everything in the log is sent once more/),
    ]);
    expect(readdirSync(dataDir)).toContain(`${QUEUE}.bad-1`);
  });

  it("is damaged in one row keeps its dead letters", async () => {
    const dataDir = await store();
    const database = new Sqlite(join(dataDir, QUEUE));
    database.exec(`UPDATE pending SET "end" = "end" - 1`);
    database.close();
    const { values, dead, incidents } = await open(dataDir);
    expect(values).toEqual(LEFT);
    expect(dead).toEqual(["too large"]);
    expect(incidents).toEqual([expect.stringContaining("built anew with 1 of its dead letters")]);
  });

  it("is of a newer software is kept aside", async () => {
    const dataDir = await store();
    const database = new Sqlite(join(dataDir, QUEUE));
    database.pragma("user_version = 99");
    database.close();
    const { values, incidents } = await open(dataDir);
    expect(values).toEqual(LEFT);
    expect(incidents[0]).toContain("its schema is version 99, this software knows 1");
  });

  it("has lost its WAL sends nothing less", async () => {
    const dataDir = temporary();
    const agent = createAgent(dataDir);
    await agent.addMessages([1, 2].map(number));
    agent.removeMessages(agent.getNLatestMessages(1).map(({ identifier }) => identifier));
    const copy = temporary();
    cpSync(dataDir, copy, { recursive: true });
    rmSync(join(copy, `${QUEUE}-wal`));
    expect(valuesOf(createAgent(copy).getNLatestMessages(10))).toContain(2);
  });

  it("breaks while it is in use is built anew, and what was done stays done", async () => {
    const dataDir = temporary();
    const agent = createAgent(dataDir);
    await agent.addMessages([1, 2, 3].map(number));
    const [first, second] = agent.getNLatestMessages(3);
    agent.removeMessages([first?.identifier ?? 0]);
    const other = new Sqlite(join(dataDir, QUEUE));
    other.exec(`UPDATE pending SET c = c + 1`);
    other.close();
    agent.removeMessages([second?.identifier ?? 0]);
    expect(valuesOf(agent.getNLatestMessages(10))).toEqual([3]);
  });

  it("is that of Python Ivy hands over what was unsent, once, without the secrets in it", async () => {
    const dataDir = temporary();
    const database = new Sqlite(join(dataDir, QUEUE));
    database.exec(
      "CREATE TABLE QUEUE (internal_id INTEGER PRIMARY KEY, timestamp DOUBLE NOT NULL, message_body TEXT NOT NULL)",
    );
    const insert = database.prepare("INSERT INTO QUEUE (timestamp, message_body) VALUES (?, ?)");
    insert.run(1_700_000_000.5, JSON.stringify(number(1)));
    const config = { general: { config_revision: 3 }, backend: { mqtt_connection: { password: "canary" } } };
    insert.run(1_700_000_001, JSON.stringify({ variant: "config", status: "accepted", config }));
    database.close();
    for (let start = 0; start < 2; start++) {
      const agent = new MessagingAgent({ dataDir });
      const items = agent.getNLatestMessages(10);
      expect(items).toMatchObject([
        { timestamp: 1_700_000_000.5, message_body: number(1) },
        { message_body: { variant: "config", config: { general: { config_revision: 3 } } } },
      ]);
      expect(JSON.stringify(items)).not.toContain("canary");
      const files = readdirSync(dataDir).filter((name) => name.startsWith(QUEUE));
      for (const file of files) expect(readFileSync(join(dataDir, file), "latin1")).not.toContain("canary");
      await agent.teardown();
    }
  });
});

it("A queue of Python Ivy stays as it is where the disk becomes full while it is taken over", () => {
  const dataDir = temporary();
  const database = new Sqlite(join(dataDir, QUEUE));
  database.exec(
    "CREATE TABLE QUEUE (internal_id INTEGER PRIMARY KEY, timestamp DOUBLE NOT NULL, message_body TEXT NOT NULL)",
  );
  const insert = database.prepare("INSERT INTO QUEUE (timestamp, message_body) VALUES (?, ?)");
  for (const value of [1, 2]) insert.run(1_700_000_000, JSON.stringify(number(value)));
  database.close();
  const agent = createAgent(dataDir);
  const { append } = LogWriter.prototype;
  vi.spyOn(LogWriter.prototype, "append").mockImplementationOnce(function (this: LogWriter, lines) {
    return append.call(this, lines, lines.length - 10);
  });
  expect(() => agent.getNLatestMessages(10)).toThrow(/ENOSPC/);
  // One that was written already is there twice.
  expect(valuesOf(agent.getNLatestMessages(10))).toEqual([1, 1, 2]);
});

describe("a log", () => {
  it("with any byte changed loses the messages of that byte's line, and no other", {
    timeout: 60_000,
  }, async () => {
    const sound = await store();
    const [name = ""] = readdirSync(join(sound, "messages"));
    const bytes = readFileSync(join(sound, "messages", name));
    const lines = bytes.toString().split("\n");
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const dataDir = temporary();
        cpSync(sound, dataDir, { recursive: true });
        const broken = Buffer.from(bytes);
        broken[at] = (broken[at] ?? 0) ^ change;
        writeFileSync(join(dataDir, "messages", name), broken);
        const line = bytes.subarray(0, at).toString().split("\n").length - 1;
        const hit = bytes[at] === 0x0a ? undefined : /"value":(\d+)/.exec(lines[line] ?? "")?.[1];
        const { values, after } = await open(dataDir);
        const expected = LEFT.filter((value) => String(value) !== hit);
        expect(values).toEqual(expected);
        expect(after).toEqual([...expected, 99]);
      }),
      { numRuns: 60 },
    );
  });

  it("of which any header is damaged loses nothing that waits, whatever files before and after it are sent and gone", {
    timeout: 60_000,
  }, async () => {
    const days = 7;
    await fc.assert(
      fc.asyncProperty(fc.nat(days - 1), fc.uniqueArray(fc.nat(days - 1)), async (damaged, sent) => {
        let now = Date.UTC(2026, 2, 1, 12);
        const options = { now: () => now, limits: { archiveBytes: 0, freeBytes: 0 } };
        const dataDir = temporary();
        const agent = new MessagingAgent({ dataDir, ...options });
        for (let day = 0; day < days; day++, now += 86_400_000) await agent.addMessage(number(day));
        const messages = agent.getNLatestMessages(days);
        agent.removeMessages(sent.map((day) => messages[day]?.identifier ?? 0));
        agent.keepLimits();
        await agent.teardown();
        const file = join(dataDir, "messages", `2026-03-0${damaged + 1}.jsonl`);
        if (existsSync(file)) writeFileSync(file, readFileSync(file, "utf8").replace('"v":1', '"v":2'));
        const waiting = Array.from({ length: days }, (_, day) => day).filter((day) => !sent.includes(day));
        const { values, after } = await open(dataDir);
        expect(values).toEqual(expect.arrayContaining(waiting));
        expect(after).toContain(99);
      }),
      { numRuns: 25 },
    );
  });

  it("that is torn by a full disk keeps the message of the writer that came next in the same line", async () => {
    const dataDir = temporary();
    const agent = createAgent(dataDir);
    await agent.addMessage(number(1));
    const file = agent.getMessageArchiveFile();
    const torn = encodeRecord({ id: "x-1", t: 1, m: number(2) }).slice(0, 30);
    writeFileSync(file, torn + encodeRecord({ id: "x-2", t: 2, m: number(3) }), { flag: "a" });
    expect(valuesOf(agent.getNLatestMessages(10))).toEqual([1, 3]);
    agent.removeMessages(agent.getNLatestMessages(10).map(({ identifier }) => identifier));
    expect(agent.getNLatestMessages(10)).toEqual([]);
  });

  it("of which a power cut took the end is not continued, so that nothing new is taken for sent", async () => {
    const dataDir = temporary();
    const path = writeInBoot(dataDir, "first", 1, 2, 3);
    const sender = new MessagingAgent({ dataDir });
    sender.removeMessages(sender.getNLatestMessages(10).map(({ identifier }) => identifier));
    await sender.teardown();
    truncateSync(path, readFileSync(path).length - 150);
    writeInBoot(dataDir, "second", 4, 5, 6, 7);
    expect(valuesOf(createAgent(dataDir).getNLatestMessages(10))).toEqual([4, 5, 6, 7]);
  });

  it.each([
    ["took the end", (content: string) => content.slice(0, -20)],
    ["left an empty line", (content: string) => `${content}\n`],
  ])("of which a power cut %s is done, and goes, when the rest of it is sent", async (_, change) => {
    const dataDir = temporary();
    const path = writeInBoot(dataDir, "first", 1, 2);
    writeFileSync(path, change(readFileSync(path, "utf8")));
    const agent = createAgent(dataDir, { limits: { archiveBytes: 0 } });
    await agent.addMessage(number(3));
    const consumer = agent.openConsumer();
    consumer.settle({ removed: consumer.take(10).map(({ identifier }) => identifier) });
    expect(consumer.take(10)).toEqual([]);
    consumer.settle({ removed: [] });
    expect(agent.statistics()).toMatchObject({ queued: 0, queuedBytes: 0, oldest: undefined });
    agent.keepLimits();
    expect(existsSync(path)).toBe(false);
  });

  it("that was deleted and begun anew is sent, although the places in it have been sent before", async () => {
    const dataDir = await store();
    rmSync(join(dataDir, "messages"), { recursive: true });
    const agent = new MessagingAgent({ dataDir });
    await agent.addMessage(number(20));
    expect(valuesOf(agent.getNLatestMessages(10))).toEqual([20]);
    await agent.teardown();
  });

  it.each([
    ["older ones", (name: string) => !name.includes("urgent") && name.startsWith("2026-01-0"), 10],
    ["all that are not urgent", (name: string) => !name.includes("urgent"), 10],
    ["all that are urgent", (name: string) => name.includes("urgent"), 10],
    ["the newest ones", (name: string) => name.startsWith("2026-01-1"), 10],
    [
      "all that are not urgent, without a note of their number",
      (name: string) => !name.includes("urgent"),
      0,
    ],
  ])("of which somebody deletes %s takes nothing new for sent", async (_, isDeleted, urgentFrom) => {
    let now = Date.UTC(2026, 0, 1, 12);
    const dataDir = temporary();
    for (let day = 0; day < 12; day++, now += 86_400_000) {
      const agent = new MessagingAgent({ dataDir, now: () => now });
      await agent.addMessages([number(day), number(day)]);
      if (day >= urgentFrom) await agent.addMessages([number(day), number(day)], { urgent: true });
      agent.removeMessages(agent.getNLatestMessages(10).map(({ identifier }) => identifier));
      await agent.teardown();
    }
    for (const name of readdirSync(join(dataDir, "messages")).filter(isDeleted))
      rmSync(join(dataDir, "messages", name));
    if (urgentFrom === 0) rmSync(join(dataDir, "messages.sequences"), { force: true });
    const agent = createAgent(dataDir, { now: () => now });
    await agent.addMessage(number(20));
    await agent.addMessage(number(21), { urgent: true });
    expect(valuesOf(agent.getNLatestMessages(10))).toEqual([21, 20]);
  });

  it("of Python Ivy can be read, without the secrets in it", async () => {
    const dataDir = temporary();
    const agent = createAgent(dataDir);
    await agent.addMessage(number(1));
    const body = JSON.stringify({ variant: "log", level: "INFO", subject: 'a "quoted", text', body: "" });
    const secret = JSON.stringify({ variant: "config", config: { password: "canary" } });
    const lines = [body, secret].map(
      (text, index) => `170000000${index}.25,"${text.replaceAll('"', '""')}"\n`,
    );
    writeFileSync(join(dataDir, "messages", "2023-11-14.csv"), `timestamp,message_body\n${lines.join("")}`);
    const archive = agent.loadMessageArchive("2023-11-14");
    expect(archive[0]).toEqual({ timestamp: 1_700_000_000.25, message_body: JSON.parse(body) });
    expect(archive).toHaveLength(2);
    expect(JSON.stringify(archive)).not.toContain("canary");
  });
});
