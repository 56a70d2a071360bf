import { readFileSync } from "node:fs";
import { isCode } from "@ivy/files";
import {
  LOGGING_LEVEL_PRIORITIES,
  type LoggingVerbosityConfig,
  type LogLevel,
  type LogMessageBody,
  redactText,
  spellingsOf,
} from "@ivy/types";
import pino from "pino";
import { DailyFile } from "./daily-file.ts";
import { describeError } from "./describe-error.ts";
import { asBlocksOnly, asOneLine, type Entry, formatBlocks, formatLine } from "./entry.ts";
import { isJournal, withPriority } from "./journal.ts";
import { DEFAULT_LIMITS, type LogLimits } from "./limits.ts";

export interface LoggerOptions {
  /** Who writes: stands in every entry. */
  origin: string;
  /** Minimum level of what goes to each sink; `null` sends nothing there. */
  verbosity: LoggingVerbosityConfig;
  /** Folder of the daily files; created if it is missing. */
  logsDir: string;
  /** How much of the daily files is kept; what is left out has its default: 256 MiB, 90 days. */
  limits?: Partial<LogLimits>;
  /** Texts that no sink ever gets to see, however they are written: in JSON, in an address, in Base64. */
  secrets?: readonly string[];
  /** Takes what is to be sent to the server. */
  sendMessage?: (body: LogMessageBody) => unknown;
  /** Takes what is to be printed; standard output if left out. */
  print?: (text: string) => void;
  /** The wall clock, in Unix milliseconds. */
  now?: () => number;
}

export interface ExceptionOptions {
  /** Stands before the name of the error. */
  label?: string;
  /** Whatever else helps, for example the output of a program that failed. */
  details?: string;
}

/** An entry as all sinks get it. */
interface Formatted {
  entry: Entry;
  instantMs: number;
  line: string;
  blocks: string;
}

type Sink = (formatted: Formatted) => void;

/**
 * Writes log entries to the console, to a file a day, and to the server. pino decides which sink gets which level.
 * Logging never throws: a sink that fails is reported on standard error.
 */
export class Logger implements Disposable {
  readonly #options: LoggerOptions;
  readonly #now: () => number;
  readonly #file: DailyFile;
  readonly #spellings: readonly string[];
  #verbosity: LoggingVerbosityConfig;
  #pino: pino.Logger<PinoLevel>;
  /** The entry that is being logged: pino passes its own form of it to the sinks, which none of them needs. */
  #current: Formatted | undefined;

  constructor(options: LoggerOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#file = new DailyFile(options.logsDir, { ...DEFAULT_LIMITS, ...options.limits });
    this.#spellings = spellingsOf(options.secrets ?? []);
    this.#verbosity = options.verbosity;
    this.#pino = this.#connectSinks();
  }

  /**
   * Changes from which level on a sink gets entries.
   *
   * @param level - `null` sends nothing there
   */
  setLevel(sink: keyof LoggingVerbosityConfig, level: LogLevel | null): void {
    this.#verbosity = { ...this.#verbosity, [sink]: level };
    this.#pino = this.#connectSinks();
  }

  debug(message: string, details?: string): void {
    this.#log({ level: "DEBUG", subject: message, blocks: [{ title: "details", text: details }] });
  }

  info(message: string, details?: string): void {
    this.#log({ level: "INFO", subject: message, blocks: [{ title: "details", text: details }] });
  }

  warning(message: string, details?: string): void {
    this.#log({ level: "WARNING", subject: message, blocks: [{ title: "details", text: details }] });
  }

  error(message: string, details?: string): void {
    this.#log({ level: "ERROR", subject: message, blocks: [{ title: "details", text: details }] });
  }

  /** Logs an error with its stack, its causes and its `details`, if it has such a property. */
  exception(error: unknown, { label, details }: ExceptionOptions = {}): void {
    const described = describeError(error);
    this.#log({
      level: "EXCEPTION",
      subject: label === undefined ? described.title : `${label}, ${described.title}`,
      blocks: [
        { title: "exception details", text: described.details },
        { title: "traceback", text: described.traceback },
        { title: "details", text: details },
      ],
    });
  }

  /** Writes a line of 40 equal characters, at level INFO. */
  horizontalLine(fillChar: "-" | "=" | "." | "_" = "="): void {
    this.info(fillChar.repeat(40));
  }

  /** The text of today's log file; `undefined` if there is none yet. */
  readCurrentLogFile(): string | undefined {
    try {
      return readFileSync(this.#file.pathAt(this.#now()), "utf8");
    } catch (error) {
      if (isCode(error, "ENOENT")) return undefined;
      throw error;
    }
  }

  /** Closes the log file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  #log(entry: Entry): void {
    this.#current = this.#format(entry);
    this.#pino[pinoLevel(entry.level)](entry.subject);
  }

  #connectSinks(): pino.Logger<PinoLevel> {
    const { console_prints, file_archive, message_sending } = this.#verbosity;
    const print = this.#options.print ?? printToConsole();
    const streams = [
      this.#stream(console_prints, ({ line, blocks, entry }) => print(line + blocks, entry.level)),
      this.#stream(file_archive, ({ line, blocks, instantMs }) => this.#file.write(line + blocks, instantMs)),
      this.#stream(message_sending, (formatted) => this.#send(formatted)),
    ];
    return pino(
      { customLevels: pinoLevels, useOnlyCustomLevels: true, level: "debug", base: null, timestamp: false },
      pino.multistream(streams.flat(), { levels: pinoLevels }),
    );
  }

  #stream(level: LogLevel | null, sink: Sink): pino.StreamEntry<PinoLevel>[] {
    if (level === null) return [];
    const write = () => {
      if (this.#current !== undefined) this.#pass(this.#current, sink);
    };
    return [{ level: pinoLevel(level), stream: { write } }];
  }

  #format(entry: Entry): Formatted {
    const instantMs = this.#now();
    // First the secrets, which may have several lines.
    const line = asOneLine(this.#redact(formatLine(instantMs, this.#options.origin, entry)));
    return { entry, instantMs, line, blocks: asBlocksOnly(this.#redact(formatBlocks(entry))) };
  }

  #pass(formatted: Formatted, sink: Sink): void {
    try {
      sink(formatted);
    } catch (error) {
      process.stderr.write(`A log entry could not be written: ${(error as Error).message}\n`);
    }
  }

  async #send({ entry: { level, subject }, blocks }: Formatted): Promise<void> {
    const title = this.#redact(`${this.#options.origin} - ${level} - ${subject}`);
    try {
      await this.#options.sendMessage?.({ variant: "log", level, subject: title, body: blocks.trimEnd() });
    } catch (error) {
      // Into the file only: through the logger it would be sent, and fail again.
      this.#pass(this.#format(sendFailure(error)), ({ line, instantMs }) =>
        this.#file.write(line, instantMs),
      );
    }
  }

  #redact(text: string): string {
    return redactText(text, this.#spellings);
  }
}

function printToConsole(): (text: string, level: LogLevel) => void {
  const { stdout } = process;
  return isJournal(stdout.fd)
    ? (text, level) => void stdout.write(withPriority(text, level))
    : (text) => void stdout.write(text);
}

/** pino knows names of levels in lower case only. */
type PinoLevel = Lowercase<LogLevel>;

const pinoLevel = (level: LogLevel): PinoLevel => level.toLowerCase() as PinoLevel;

/** The levels as pino counts them, in the order of their priorities. */
const pinoLevels = Object.fromEntries(
  Object.entries(LOGGING_LEVEL_PRIORITIES).map(([level, priority]) => [
    level.toLowerCase(),
    10 * (priority + 1),
  ]),
) as Record<PinoLevel, number>;

function sendFailure(error: unknown): Entry {
  return {
    level: "ERROR",
    subject: `A log entry could not be sent: ${(error as Error).message}`,
    blocks: [],
  };
}
