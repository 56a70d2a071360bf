import { dirname } from "node:path";
import type { Durability } from "../durability.ts";
import { StoreWriteError, TornDownError } from "../store-error.ts";
import type { LogFolder } from "./folder.ts";
import { GroupCommit } from "./group-commit.ts";
import { Lines } from "./lines.ts";
import type { Lane } from "./place.ts";
import { decodeRecord } from "./record.ts";
import { LogWriter } from "./writer.ts";

/** So much is written at once at most, in bytes. */
const LARGEST_WRITE = 64 * 1024;

export interface LogLaneOptions {
  folder: LogFolder;
  lane: Lane;
  /** The wall clock, in Unix milliseconds. */
  now: () => number;
  windowMs: number;
  /** Told of a sync that nobody waits for and that failed, and of a file that is gone while it is appended to. */
  incident: (text: string) => void;
}

/** What is written at once, for one or more calls. */
interface Batch {
  /** Resolves when the turn ends, and the writing with it. */
  written: Promise<ShortWrite | undefined>;
  /** Some of it is to be synced when the window ends. */
  hasWindow: boolean;
  messages: number;
  /** The outcome, once it is written. */
  short?: ShortWrite | undefined;
  failure?: unknown;
}

/** A write that filled the disk. */
interface ShortWrite {
  lines: Buffer;
  written: number;
}

/** The lanes with something that is not written yet: a process that exits in the same turn still writes it. */
const unwritten = new Set<LogLane>();
process.on("exit", () => {
  for (const lane of unwritten) lane.flush();
});

/** What writes to one lane of the log, and makes it as durable as asked for. */
export class LogLane {
  readonly writer: LogWriter;
  readonly #folder: LogFolder;
  readonly #commit: GroupCommit;
  readonly #lines = new Lines();
  /** How many messages have been written. */
  stored = 0;
  /** What the lines belong to. */
  #batch: Batch | undefined;
  #isTornDown = false;

  constructor({ folder, lane, now, windowMs, incident }: LogLaneOptions) {
    this.#folder = folder;
    this.writer = new LogWriter(folder, lane, now, (path) =>
      incident(
        `${path} was deleted or moved while it was written to: what was added to it since is not in the queue`,
      ),
    );
    this.#commit = new GroupCommit(
      () => this.writer.sync(),
      windowMs,
      (error) => incident((error as Error).message),
    );
  }

  /**
   * Appends records; those of one turn of the event loop are written together, when it ends.
   *
   * @param records - JSON objects without their closing brace
   * @returns resolves once they are as durable as asked for
   * @throws TornDownError
   */
  async append(records: readonly string[], durability: Durability): Promise<void> {
    if (this.#isTornDown) throw new TornDownError(dirname(this.#folder.path));
    this.#batch ??= this.#begin();
    const batch = this.#batch;
    const start = this.#lines.length;
    for (const record of records) this.#lines.add(record);
    batch.messages += records.length;
    const end = this.#lines.length;
    if (durability === "window") batch.hasWindow = true;
    if (end > LARGEST_WRITE) this.flush();
    const short = await batch.written;
    if (short !== undefined) this.#check(short, start, end);
    if (durability === "sync") await this.#commit.now();
  }

  /** Writes what has been appended. */
  flush(): void {
    const batch = this.#batch;
    if (batch === undefined) return;
    this.#batch = undefined;
    unwritten.delete(this);
    try {
      batch.short = this.#write();
      if (batch.short === undefined) this.stored += batch.messages;
      if (batch.hasWindow) this.#commit.soon();
    } catch (error) {
      batch.failure = error;
    }
  }

  async teardown(): Promise<void> {
    this.flush();
    this.#isTornDown = true;
    try {
      await this.#commit.flush();
    } finally {
      this.writer.close();
    }
  }

  #begin(): Batch {
    unwritten.add(this);
    const batch: Batch = {
      written: Promise.resolve().then(() => this.#end(batch)),
      hasWindow: false,
      messages: 0,
    };
    return batch;
  }

  #end(batch: Batch): ShortWrite | undefined {
    if (this.#batch === batch) this.flush();
    if (batch.failure !== undefined) throw batch.failure;
    return batch.short;
  }

  #write(): ShortWrite | undefined {
    const { bytes, length } = this.#lines.take();
    const written = this.writer.append(bytes, length);
    return written < length ? { lines: Buffer.from(bytes.subarray(0, length)), written } : undefined;
  }

  /** @throws StoreWriteError where not all of the lines between two places are written */
  #check({ lines, written }: ShortWrite, start: number, end: number): void {
    const stored = countLines(lines.subarray(start, Math.max(start, Math.min(end, written))));
    if (stored === countLines(lines.subarray(start, end))) return;
    const cause = new Error(`the disk became full after ${written} bytes (ENOSPC)`);
    throw new StoreWriteError(this.writer.path, cause, stored);
  }
}

/** A line of which only the line feed is missing can be read. */
function countLines(bytes: Buffer): number {
  const lines = bytes.toString().split("\n");
  const last = Buffer.from(lines.pop() ?? "");
  return lines.length + (decodeRecord(last) === undefined ? 0 : 1);
}
