import type { Durability } from "../durability.ts";
import { StoreWriteError } from "../store-error.ts";
import type { LogFolder } from "./folder.ts";
import { GroupCommit } from "./group-commit.ts";
import type { Lane } from "./place.ts";
import { decodeRecord } from "./record.ts";
import { LogWriter } from "./writer.ts";

/** So much is written at once at most, in characters. */
const LARGEST_WRITE = 64 * 1024;

export interface LogLaneOptions {
  folder: LogFolder;
  lane: Lane;
  /** The wall clock, in Unix milliseconds. */
  now: () => number;
  windowMs: number;
  /** Told of a sync that nobody waits for and that failed. */
  failed: (error: unknown) => void;
}

/** One call that adds messages. */
interface Call extends PromiseWithResolvers<void> {
  lines: string;
  durability: Durability;
}

/** The lanes with something that is not written yet: a process that exits in the same turn still writes it. */
const unwritten = new Set<LogLane>();
process.on("exit", () => {
  for (const lane of unwritten) lane.flush();
});

/** What writes to one lane of the log, and makes it as durable as asked for. */
export class LogLane {
  readonly writer: LogWriter;
  readonly #commit: GroupCommit;
  /** What is to be written together. */
  #calls: Call[] = [];
  #length = 0;

  constructor({ folder, lane, now, windowMs, failed }: LogLaneOptions) {
    this.writer = new LogWriter(folder, lane, now);
    this.#commit = new GroupCommit(() => this.writer.sync(), windowMs, failed);
  }

  /**
   * Appends lines; those of one turn of the event loop are written together, when it ends.
   *
   * @returns resolves once they are as durable as asked for
   */
  append(lines: string, durability: Durability): Promise<void> {
    const call = { ...Promise.withResolvers<void>(), lines, durability };
    if (this.#calls.push(call) === 1) this.#flushSoon();
    this.#length += lines.length;
    if (this.#length > LARGEST_WRITE) this.flush();
    return durability === "sync" ? call.promise.then(() => this.#commit.now()) : call.promise;
  }

  /** Writes what has been appended. */
  flush(): void {
    const calls = this.#calls;
    if (calls.length === 0) return;
    this.#calls = [];
    this.#length = 0;
    unwritten.delete(this);
    try {
      const lines = calls.map((call) => call.lines).join("");
      const written = this.writer.append(lines);
      const stored = written < Buffer.byteLength(lines) ? this.#divide(calls, written) : calls;
      if (stored.some(({ durability }) => durability === "window")) this.#commit.soon();
      for (const { resolve } of stored) resolve();
    } catch (error) {
      for (const { reject } of calls) reject(error);
    }
  }

  async teardown(): Promise<void> {
    this.flush();
    await this.#commit.flush();
    this.writer.close();
  }

  #flushSoon(): void {
    unwritten.add(this);
    queueMicrotask(() => this.flush());
  }

  /** Refuses the calls of which not everything is written; returns the others. */
  #divide(calls: readonly Call[], written: number): Call[] {
    const cause = new Error(`the disk became full after ${written} bytes (ENOSPC)`);
    let end = 0;
    return calls.filter(({ lines, reject }) => {
      const bytes = Buffer.from(lines);
      const fitted = bytes.subarray(0, Math.max(0, written - end));
      end += bytes.length;
      const stored = countLines(fitted);
      if (stored === countLines(bytes)) return true;
      reject(new StoreWriteError(this.writer.path, cause, stored));
      return false;
    });
  }
}

/** A line of which only the line feed is missing can be read. */
function countLines(bytes: Buffer): number {
  const lines = bytes.toString().split("\n");
  const last = Buffer.from(lines.pop() ?? "");
  return lines.length + (decodeRecord(last) === undefined ? 0 : 1);
}
