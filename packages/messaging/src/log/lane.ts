import type { Durability } from "../durability.ts";
import type { LogFolder } from "./folder.ts";
import { GroupCommit } from "./group-commit.ts";
import type { Lane } from "./place.ts";
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

/** What is written together. */
interface Batch {
  lines: string;
  written: PromiseWithResolvers<void>;
  synced?: Promise<void>;
  isOfWindow: boolean;
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
  #batch: Batch | undefined;

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
    this.#batch ??= this.#begin();
    const batch = this.#batch;
    batch.lines += lines;
    if (durability === "window") batch.isOfWindow = true;
    if (durability === "sync") batch.synced ??= batch.written.promise.then(() => this.#commit.now());
    if (batch.lines.length > LARGEST_WRITE) this.flush();
    return durability === "sync" && batch.synced !== undefined ? batch.synced : batch.written.promise;
  }

  /** Writes what has been appended. */
  flush(): void {
    const batch = this.#batch;
    if (batch === undefined) return;
    this.#batch = undefined;
    unwritten.delete(this);
    try {
      this.writer.append(batch.lines);
      if (batch.isOfWindow) this.#commit.soon();
      batch.written.resolve();
    } catch (error) {
      batch.written.reject(error);
    }
  }

  async teardown(): Promise<void> {
    this.flush();
    await this.#commit.flush();
    this.writer.close();
  }

  #begin(): Batch {
    unwritten.add(this);
    queueMicrotask(() => this.flush());
    return { lines: "", written: Promise.withResolvers(), isOfWindow: false };
  }
}
