import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LoggingVerbosityConfig, LogMessageBody } from "@ivy/types";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { Logger, type LoggerOptions, logLevelIsVisible } from "../src/index.ts";
import { searchLogs } from "../src/read.ts";

const FIXTURES = join(import.meta.dirname, "fixtures");
const EVERYTHING: LoggingVerbosityConfig = {
  file_archive: "DEBUG",
  console_prints: "DEBUG",
  message_sending: "DEBUG",
};

function createLogger(options: Partial<LoggerOptions> = {}) {
  const logsDir = join(mkdtempSync(join(tmpdir(), "ivy-logger-")), "logs");
  const printed: string[] = [];
  const sent: LogMessageBody[] = [];
  const logger = new Logger({
    origin: "origin",
    verbosity: EVERYTHING,
    logsDir,
    print: (text) => printed.push(text),
    sendMessage: (body) => sent.push(body),
    // No day ends between what is logged and what is read.
    now: () => NOON,
    ...options,
  });
  onTestFinished(() => {
    logger[Symbol.dispose]();
    rmSync(join(logsDir, ".."), { recursive: true, force: true });
  });
  return { logger, logsDir, printed, sent, file: () => logger.readCurrentLogFile() };
}

/** How many descriptors of this process lead to a file. */
function descriptorsOf(path: string): number {
  const descriptors = readdirSync("/proc/self/fd").map((name) => join("/proc/self/fd", name));
  return descriptors.filter((link) => existsSync(link) && readlinkSync(link) === path).length;
}

const NOON = Date.UTC(2026, 2, 1, 12);

const TIME = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC[+-][\d.]+`;

describe("a log entry", () => {
  it("is one line", () => {
    const { logger, printed, file } = createLogger();
    logger.info("test message");
    expect(printed.join("")).toMatch(new RegExp(`^${TIME} - origin           - INFO      - test message\n$`));
    expect(file()).toBe(printed.join(""));
  });

  it("has its details below", () => {
    const { logger, printed } = createLogger();
    logger.warning("test message", "test details");
    expect(printed.join("").split("\n").slice(1)).toEqual([
      "--- details ----------------------------",
      "test details",
      "----------------------------------------",
      "",
    ]);
  });

  it("of an exception has the error's own details, the traceback with its causes, and the details", () => {
    const { logger, printed } = createLogger();
    const error = Object.assign(new TypeError("wrong", { cause: new Error("root") }), { details: "output" });
    logger.exception(error, { label: "here", details: "more" });
    const text = printed.join("");
    expect(text).toMatch(
      /- EXCEPTION - here, TypeError: wrong\n--- exception details -{18}\noutput\n--- traceback -{26}\n/,
    );
    expect(text).toMatch(/TypeError: wrong\n\s+at .*logger\.test\.ts/);
    expect(text).toMatch(/caused by\nError: root/);
    expect(text).toMatch(/--- details -{28}\nmore\n-{40}\n$/);
  });

  it("of an exception that is no error shows what was thrown", () => {
    const { logger, printed } = createLogger({ secrets: ['ca"nary'] });
    logger.exception({ status: 503, password: 'ca"nary' });
    logger.exception(new Error("outer", { cause: { a: 1 } }));
    const itself: object[] = [];
    itself.push(itself);
    logger.exception(itself);
    expect(printed[0]).toMatch(/- EXCEPTION - Error: \{"status":503,"password":"\[redacted\]"\}\n/);
    expect(printed[1]).toContain('caused by\n{"a":1}\n');
    expect(printed[2]).toContain("- EXCEPTION - Error: [object Array]\n");
  });

  it("stays one whatever its texts hold, on the console and in the file", () => {
    const { logger, printed, sent, file, logsDir } = createLogger({ secrets: ["first line\r\nsecond line"] });
    const forged = "2026-11-25 12:00:00.000 UTC+1 - root             - ERROR     - forged";
    const texts = [
      `a\n${forged}\n`,
      `a\r\n${forged}`,
      `a\r${forged}\u2028${forged}`,
      `\u001b[2J\u001b[H${forged}`,
    ];
    for (const text of texts) {
      logger.info(text, text);
      logger.exception(new Error("b", { cause: new Error(text) }), { label: text });
    }
    logger.warning("secret", "first line\r\nsecond line");
    const entries = [...searchLogs(logsDir, {})];
    expect(entries.map(({ level }) => level)).toEqual([
      ...texts.flatMap(() => ["INFO", "EXCEPTION"]),
      "WARNING",
    ]);
    expect(entries.filter(({ origin }) => origin !== "origin")).toEqual([]);
    expect(entries.map(({ text }) => text)).toEqual(printed);
    expect(printed.join("")).not.toMatch(/(?![\n\t])[\p{Cc}\p{Zl}\p{Zp}]/u);
    expect(printed[0]).toContain(` - a\n  ${forged}\n`);
    expect(entries.at(-1)?.body).toContain("\n[redacted]\n");
    expect(sent.map(({ body }) => body)).toEqual(entries.map(({ body }) => body.slice(body.indexOf("---"))));
    expect(file()).toBe(printed.join(""));
  });

  it("can be a horizontal line", () => {
    const { logger, printed } = createLogger();
    logger.horizontalLine();
    expect(printed.join("")).toMatch(/ - INFO {6}- ={40}\n$/);
  });

  it.each([
    ["Europe/Berlin", "2021-08-22T14:00:00Z", "2021-08-22 16:00:00.000 UTC+2"],
    ["Europe/Berlin", "2021-12-22T14:00:00Z", "2021-12-22 15:00:00.000 UTC+1"],
    ["Europe/Berlin", "2021-10-31T00:59:59.999Z", "2021-10-31 02:59:59.999 UTC+2"],
    ["Europe/Berlin", "2021-10-31T01:00:00Z", "2021-10-31 02:00:00.000 UTC+1"],
    ["Asia/Kolkata", "2021-08-22T14:00:00Z", "2021-08-22 19:30:00.000 UTC+5.5"],
    ["America/St_Johns", "2021-01-22T14:00:00Z", "2021-01-22 10:30:00.000 UTC-3.5"],
    ["UTC", "2021-01-22T14:00:00Z", "2021-01-22 14:00:00.000 UTC+0"],
  ])("carries local time with its true offset: %s at %s", (TZ, instant, shown) => {
    const printed = execFileSync(process.execPath, [join(FIXTURES, "print-times.ts"), instant], {
      env: { ...process.env, TZ },
    });
    expect(printed.toString().trim()).toBe(shown);
  });
});

describe("the logger", () => {
  it("gives each sink what its level asks for", () => {
    const verbosity: LoggingVerbosityConfig = {
      file_archive: "WARNING",
      console_prints: null,
      message_sending: "ERROR",
    };
    const { logger, printed, sent, file } = createLogger({ verbosity });
    logger.debug("a");
    logger.warning("b");
    logger.error("c", "why");
    logger.exception(new Error("d"));
    expect(printed).toEqual([]);
    expect(file()?.match(/- (WARNING|ERROR|EXCEPTION|DEBUG) /g)).toHaveLength(3);
    expect(sent.map(({ level, subject }) => [level, subject])).toEqual([
      ["ERROR", "origin - ERROR - c"],
      ["EXCEPTION", "origin - EXCEPTION - Error: d"],
    ]);
    expect(sent[0]?.body).toBe(`--- details ${"-".repeat(28)}\nwhy\n${"-".repeat(40)}`);
  });

  it("gives a sink more or less when its level is changed, and the others what they got before", () => {
    const { logger, printed, sent } = createLogger({
      verbosity: { file_archive: null, console_prints: null, message_sending: "ERROR" },
    });
    logger.setLevel("console_prints", "INFO");
    logger.info("a");
    logger.setLevel("console_prints", null);
    logger.error("b");
    expect(printed.join("")).toMatch(/^\S+ \S+ \S+ - origin +- INFO +- a\n$/);
    expect(sent.map(({ subject }) => subject)).toEqual(["origin - ERROR - b"]);
  });

  it("strikes secrets out of everything, the longest first", () => {
    const { logger, printed, sent, file } = createLogger({ secrets: ["canary-long", "canary", "abc"] });
    logger.error("login with canary-long failed", "abc canary");
    logger.exception(new Error("canary"));
    for (const text of [printed.join(""), file(), JSON.stringify(sent)]) expect(text).not.toContain("canary");
    expect(printed[0]).toContain("login with [redacted] failed");
    expect(printed[0]).toContain("abc [redacted]");
  });

  it("strikes secrets out however they are written", () => {
    const secret = 'p"ss\\w0rd/canary';
    const { logger, printed, sent, file } = createLogger({ secrets: [secret] });
    const json = JSON.stringify({ password: secret });
    const address = `mqtt://me:${encodeURIComponent(secret)}@host`;
    const base64 = Buffer.from(secret).toString("base64");
    logger.error(address, [json, JSON.stringify({ json }), base64].join("\n"));
    for (const text of [printed.join(""), file(), sent[0]?.body]) {
      expect(text).not.toMatch(/canary/);
      expect(text).not.toContain(base64);
      expect(text).toContain('{"password":"[redacted]"}');
    }
    expect(sent[0]?.subject).toContain("mqtt://me:[redacted]@host");
  });

  it("starts a new file with each local day", () => {
    let now = new Date(2026, 2, 1, 23, 59, 59).getTime();
    const { logger, logsDir } = createLogger({ now: () => now });
    logger.info("old");
    now += 2_000;
    logger.info("new");
    expect(readdirSync(logsDir).sort()).toEqual(["2026-03-01.log", "2026-03-02.log"]);
    expect(readFileSync(join(logsDir, "2026-03-02.log"), "utf8")).toMatch(/new\n$/);
  });

  it("keeps the newest files within limits of days and bytes, always that of the current day", () => {
    const DAY_MS = 86_400_000;
    let now = new Date(2026, 2, 1, 12).getTime();
    const { logger, logsDir } = createLogger({ now: () => now, limits: { days: 3, bytes: 1_000 } });
    const days = () => readdirSync(logsDir).map((name) => name.slice(5, 10));
    for (let day = 0; day < 5; day++, now += DAY_MS) logger.info("short");
    expect(days()).toEqual(["03-03", "03-04", "03-05"]);
    logger.info("long", "x".repeat(2_000));
    expect(days()).toEqual(["03-04", "03-05", "03-06"]);
    now += DAY_MS;
    logger.info("long", "x".repeat(2_000));
    expect(days()).toEqual(["03-07"]);
    writeFileSync(join(logsDir, "notes.txt"), "x".repeat(2_000));
    now = new Date(1970, 0, 2).getTime();
    logger.info("the clock has stepped back");
    expect(readdirSync(logsDir).sort()).toEqual(["1970-01-02.log", "notes.txt"]);
  });

  it("writes whole entries only, however many processes write", async () => {
    const { logsDir } = createLogger();
    const writers = Array.from({ length: 8 }, (_, index) =>
      spawn(
        process.execPath,
        ["--conditions=@ivy/source", join(FIXTURES, "log-many.ts"), logsDir, `w${index}`, "200"],
        { stdio: "inherit" },
      ),
    );
    await Promise.all(writers.map((writer) => once(writer, "exit")));
    const entry = new RegExp(
      `${TIME} - (w\\d) +- INFO +- entry \\d+\n--- details -+\nfirst \\1\nsecond \\1\n-{40}\n`,
      "g",
    );
    // A day may end meanwhile.
    const days = readdirSync(logsDir).sort();
    const text = days.map((name) => readFileSync(join(logsDir, name), "utf8")).join("");
    expect(text.match(entry)).toHaveLength(1_600);
    expect(text.replace(entry, "")).toBe("");
  });

  it("never throws: a sink that fails is reported, and the others get the entry", async () => {
    const complaints = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    const { logger, logsDir, printed, file } = createLogger({
      sendMessage: () => Promise.reject(new Error("queue full")),
    });
    writeFileSync(logsDir, "a file where the folder should be");
    logger.error("first");
    expect(printed).toHaveLength(1);
    expect(complaints).toHaveBeenCalledWith(expect.stringContaining("could not be written"));
    rmSync(logsDir);
    logger.error("second");
    await vi.waitFor(() => expect(file()).toMatch(/second\n(.*could not be sent: queue full\n)+$/), 20_000);
  });

  it("holds no descriptor for each entry that does not fit on the disk, and goes on once there is room", async () => {
    const complaints = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    const { logger, logsDir, file } = createLogger();
    const path = join(logsDir, "2026-03-01.log");
    mkdirSync(logsDir);
    symlinkSync("/dev/full", path);
    for (let entry = 0; entry < 50; entry++) logger.info("does not fit");
    expect(complaints).toHaveBeenCalledTimes(50);
    expect(complaints).toHaveBeenCalledWith(expect.stringContaining("ENOSPC"));
    await vi.waitFor(() => expect(descriptorsOf("/dev/full")).toBe(0), 20_000);
    rmSync(path);
    logger.info("fits");
    expect(file()).toMatch(/^.* - fits\n$/);
  });

  it("knows which level is visible at which threshold", () => {
    expect(logLevelIsVisible("WARNING", "INFO")).toBe(false);
    expect(logLevelIsVisible("WARNING", "WARNING")).toBe(true);
    expect(logLevelIsVisible("WARNING", "EXCEPTION")).toBe(true);
    expect(logLevelIsVisible(null, "EXCEPTION")).toBe(false);
  });
});
