import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { Logger } from "../src/index.ts";
import {
  followLogs,
  type LogEnd,
  type LogEntry,
  type LogFilter,
  lastEntries,
  searchLogs,
} from "../src/read.ts";

const HOUR_MS = 3_600_000;
const NOON = new Date(2026, 2, 1, 12).getTime();

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ivy-read-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

function loggerAt(origin: string, clock: { now: number }): Logger {
  const logger = new Logger({
    origin,
    verbosity: { file_archive: "DEBUG", console_prints: null, message_sending: null },
    logsDir: folder,
    now: () => clock.now,
  });
  onTestFinished(() => logger[Symbol.dispose]());
  return logger;
}

/** A day on which two processes have logged every hour, and one of them an error with a traceback. */
function logOneDay() {
  const clock = { now: NOON };
  const [main, roof] = [loggerAt("main", clock), loggerAt("roof-sensor", clock)];
  for (let hour = 0; hour < 18; hour++) {
    main.debug(`load ${hour}`);
    roof.info(`näher ${hour}`);
    if (hour === 5) roof.exception(new Error("no answer", { cause: new Error("lead is broken") }));
    if (hour === 6) main.warning("low on space", "3 % left\n\n2 days");
    clock.now += HOUR_MS;
  }
}

const subjects = (entries: Iterable<LogEntry>) => [...entries].map(({ subject }) => subject);

describe("searching the logs", () => {
  it.each<[string, LogFilter, string[]]>([
    ["an origin", { origin: "main", text: "6\n" }, ["load 6", "load 16"]],
    ["a level and above", { level: "WARNING" }, ["Error: no answer", "low on space"]],
    ["a text in a traceback", { text: "lead is broken" }, ["Error: no answer"]],
    ["a text that is not ASCII", { text: "näher 11" }, ["näher 11"]],
    ["a text with signs of regular expressions", { text: "3 % left\n\n2 d" }, ["low on space"]],
    ["a time", { sinceMs: NOON + 16 * HOUR_MS, origin: "main" }, ["load 16", "load 17"]],
    ["an end", { untilMs: NOON + 2 * HOUR_MS, origin: "main" }, ["load 0", "load 1"]],
    ["all of it", { level: "ERROR", origin: "main", text: "space" }, []],
  ])("finds by %s", (_what, filter, found) => {
    logOneDay();
    expect(subjects(searchLogs(folder, filter))).toEqual(found);
    expect(subjects(lastEntries(folder, filter, 1))).toEqual(found.slice(-1));
  });

  it("keeps a traceback with its entry", () => {
    logOneDay();
    const [entry] = searchLogs(folder, { level: "EXCEPTION" });
    expect(entry).toMatchObject({ origin: "roof-sensor", level: "EXCEPTION", instantMs: NOON + 5 * HOUR_MS });
    expect(entry?.body).toMatch(
      /^--- traceback -+\nError: no answer\n.*caused by\nError: lead is broken\n.*-{40}$/s,
    );
    expect(entry?.text.endsWith(`${"-".repeat(40)}\n`)).toBe(true);
  });

  it("finds everything in order, through all days", () => {
    logOneDay();
    const all = subjects(searchLogs(folder, {}));
    expect(all).toHaveLength(38);
    expect(all.slice(0, 3)).toEqual(["load 0", "näher 0", "load 1"]);
    expect(subjects(lastEntries(folder, {}, 100))).toEqual(all);
    expect(subjects(lastEntries(folder, {}, 20))).toEqual(all.slice(-20));
  });

  it("finds entries that lie across the chunks in which a file is read, from either end", () => {
    const clock = { now: NOON };
    const logger = loggerAt("main", clock);
    const sizes = [1_000, 300_000, 2_500_000, 17, 900_000, 1_100_000];
    for (const [index, size] of sizes.entries()) logger.info(`entry ${index}`, `x${"ä\n".repeat(size / 3)}y`);
    const forwards = [...searchLogs(folder, {})];
    expect(subjects(forwards)).toEqual(sizes.map((_, index) => `entry ${index}`));
    expect(forwards.every(({ body }) => body.includes("x") && body.endsWith(`y\n${"-".repeat(40)}`))).toBe(
      true,
    );
    expect(lastEntries(folder, {}, 100)).toEqual(forwards);
  });

  it("passes over what is no entry, and finds nothing where there are no logs", () => {
    writeFileSync(
      join(folder, "2026-03-01.log"),
      "torn\n\0\0\0\n2026-03-01 12:00:00.000 UTC+1 - main  - INFO - a\n",
    );
    writeFileSync(join(folder, "notes.txt"), "2026-03-01 12:00:00.000 UTC+1 - main  - INFO - b\n");
    expect(subjects(searchLogs(folder, {}))).toEqual(["a"]);
    expect([...searchLogs(join(folder, "nowhere"), {})]).toEqual([]);
  });

  it("knows the instant of an entry in another offset", () => {
    writeFileSync(join(folder, "2026-03-01.log"), "2026-03-01 12:00:00.250 UTC-3.5 - main  - INFO - a\n");
    expect([...searchLogs(folder, {})][0]?.instantMs).toBe(Date.UTC(2026, 2, 1, 15, 30, 0, 250));
  });
});

describe("following the logs", () => {
  it("passes on what any process adds, through the change of the day, and nothing from before", async () => {
    const clock = { now: NOON };
    const [main, roof] = [loggerAt("main", clock), loggerAt("roof-sensor", clock)];
    main.info("before");
    const found: string[] = [];
    const ended = new AbortController();
    onTestFinished(() => ended.abort());
    followLogs(
      folder,
      { level: "INFO" },
      { signal: ended.signal, found: ({ subject }) => found.push(subject) },
    );
    main.info("one");
    main.debug("hidden");
    roof.info("two");
    await vi.waitFor(() => expect(found).toEqual(["one", "two"]), 20_000);
    clock.now += 24 * HOUR_MS;
    roof.info("next day");
    await vi.waitFor(() => expect(found).toEqual(["one", "two", "next day"]), 20_000);
  });

  it.each<[string, (folder: string, end: LogEnd) => Iterable<LogEntry>]>([
    ["all", (folder, end) => searchLogs(folder, {}, end)],
    ["the last ones", (folder, end) => lastEntries(folder, {}, 10, end)],
  ])("begins where %s of what was there before end, whatever is added meanwhile", async (_what, before) => {
    const clock = { now: NOON };
    const main = loggerAt("main", clock);
    main.info("before");
    const ended = new AbortController();
    onTestFinished(() => ended.abort());
    const found: string[] = [];
    const end = followLogs(folder, {}, { signal: ended.signal, found: ({ subject }) => found.push(subject) });
    main.info("meanwhile");
    clock.now += 24 * HOUR_MS;
    main.info("next day");
    expect(subjects(before(folder, end))).toEqual(["before"]);
    await vi.waitFor(() => expect(found).toEqual(["meanwhile", "next day"]), 20_000);
  });

  it("waits for the rest of a line", async () => {
    const found: string[] = [];
    const ended = new AbortController();
    onTestFinished(() => ended.abort());
    mkdirSync(folder, { recursive: true });
    followLogs(folder, {}, { signal: ended.signal, found: ({ subject }) => found.push(subject) });
    const file = join(folder, "2026-03-01.log");
    appendFileSync(file, "2026-03-01 12:00:00.000 UTC+1 - main  - INFO - one\n2026-03-01 12:00:0");
    await vi.waitFor(() => expect(found).toEqual(["one"]), 20_000);
    appendFileSync(file, "0.000 UTC+1 - main  - INFO - two\n");
    await vi.waitFor(() => expect(found).toEqual(["one", "two"]), 20_000);
  });
});
