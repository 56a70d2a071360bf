import { statfsSync } from "node:fs";
import { contentOf, hasLostHeader, type LogFile, type LogFolder, sizeOf } from "../log/folder.ts";
import { LANES, type Span, spanOfFile } from "../log/place.ts";
import { contains, lengthOf, within } from "../log/spans.ts";
import type { ActiveQueue } from "./active-queue.ts";
import { countPending } from "./depth.ts";
import { daysOfUnsent, filesToRemove, type KeptFile, type StoreLimits } from "./limits.ts";

/** The limits are looked at this often even if the log has no new file, in milliseconds. */
const INTERVAL_MS = 3_600_000;

/** People are warned when the queue has reached this part of what it may hold. */
const WARNING_AT = 0.8;

interface Measured extends KeptFile {
  file: LogFile;
}

/** Keeps the log within its limits, and notices where another has taken its place. */
export class Housekeeping {
  readonly #queue: ActiveQueue;
  readonly #folder: LogFolder;
  readonly #limits: StoreLimits;
  readonly #incident: (text: string) => void;
  #lastAt = Number.NEGATIVE_INFINITY;
  #lastNewest = "";
  #warned = false;

  constructor(queue: ActiveQueue, folder: LogFolder, limits: StoreLimits, incident: (text: string) => void) {
    this.#queue = queue;
    this.#folder = folder;
    this.#limits = limits;
    this.#incident = incident;
  }

  /** Does what there is to do, if it is time for that: the log grows by files, so a new file is. */
  lookAfter(): void {
    try {
      const newest = LANES.map((lane) => this.#folder.list(lane).at(-1)?.name).join();
      const isDue = newest !== this.#lastNewest || performance.now() - this.#lastAt >= INTERVAL_MS;
      if (!isDue && this.#freeBytes() >= this.#limits.freeBytes) return;
      [this.#lastNewest, this.#lastAt] = [newest, performance.now()];
      const { log } = this.#folder;
      if (log !== undefined) this.#queue.recognise(log);
      this.#restoreMistaken();
      this.keepLimits();
    } catch (error) {
      // Nobody waits for it, and nothing depends on it; a full disk, perhaps.
      this.#incident(`The message store could not be looked after: ${(error as Error).message}`);
    }
  }

  keepLimits(): void {
    this.#folder.ensure();
    const pending = this.#queue.pending();
    const files = this.#files().map((file) => measure(file, pending));
    this.#warn(files);
    for (const { file, pendingBytes } of filesToRemove(files, this.#freeBytes(), this.#limits)) {
      if (pendingBytes > 0) this.#drop(file, pending);
      // First, for it may be the room that the queue wants.
      this.#folder.remove(file);
      this.#queue.apply({ done: [spanOfFile(file)] });
    }
  }

  /**
   * Of a file that is there, the end is never done. So one that has lost its header, and with it its place, has been
   * given that of another, which is sent and gone.
   */
  #restoreMistaken(): void {
    const pending = this.#queue.pending();
    const isDone = (file: LogFile) => !contains(pending, spanOfFile(file).to - 1);
    const guessed = this.#files().filter(hasLostHeader);
    for (const file of guessed.filter(isDone)) this.#queue.restore(spanOfFile(file));
  }

  /** What the file system has left, in bytes. */
  #freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.#folder.path);
    return bavail * bsize;
  }

  #files(): LogFile[] {
    return LANES.flatMap((lane) => this.#folder.list(lane));
  }

  #drop(file: LogFile, pending: readonly Span[]): void {
    const { messages } = countPending([file], pending);
    this.#queue.countDropped(messages);
    this.#incident(
      `The limits of the message store were reached: ${messages} unsent messages of ${file.name} are dropped`,
    );
  }

  #warn(files: readonly Measured[]): void {
    const { queueBytes, queueDays } = this.#limits;
    const pendingBytes = files.reduce((sum, file) => sum + file.pendingBytes, 0);
    const days = daysOfUnsent(files);
    const isHigh = pendingBytes > WARNING_AT * queueBytes || days > WARNING_AT * queueDays;
    if (isHigh && !this.#warned) {
      this.#incident(
        `${megabytes(pendingBytes)} MB of messages of ${days} days wait to be sent. When they are more than ` +
          `${megabytes(queueBytes)} MB or ${queueDays} days, the oldest are dropped`,
      );
    }
    this.#warned = isHigh;
  }
}

function measure(file: LogFile, pending: readonly Span[]): Measured {
  const bytes = sizeOf(file);
  const pendingBytes = lengthOf(within(pending, contentOf(file)));
  const { lane, day, isLive } = file;
  return { file, lane, day, isLive, bytes, pendingBytes };
}

const megabytes = (bytes: number) => (bytes / 1024 ** 2).toFixed(0);
