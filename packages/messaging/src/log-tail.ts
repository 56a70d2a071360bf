import type { LogFile } from "./log-files.ts";
import { type Located, placeOf, readLog } from "./log-reader.ts";

/** A writer that was just about to append goes on in the previous file, so that one is looked at as well. */
const LIVE_FILES = 2;

/** The log from its cursors on, read as far as messages have been asked for. */
export class LogTail {
  readonly #list: () => LogFile[];
  /** Where to read on, by the files' sequence. */
  readonly #readTo: Map<number, number>;
  /** What has been read and not removed, in the order of the log. */
  readonly #messages = new Map<number, Located>();
  /** Those of them that nobody has taken. */
  #ahead: Located[] = [];
  /** The files that may still hold something unread. */
  #files: LogFile[] = [];

  constructor(list: () => LogFile[], cursors: ReadonlyMap<number, number>) {
    this.#list = list;
    this.#readTo = new Map(cursors);
    this.filesChanged();
  }

  filesChanged(): void {
    this.#files = this.#list();
  }

  take(limit: number): Located[] {
    while (this.#ahead.length < limit && this.#readOn());
    return this.#ahead.splice(0, limit);
  }

  /** What has been taken and not removed can be taken again. */
  release(): void {
    this.#ahead = [...this.#messages.values()];
  }

  /** Everything from the beginning of the tail to the last of some messages; they may be given in any order. */
  upToLastOf(identifiers: readonly number[]): Located[] {
    let missing = identifiers.filter((identifier) => this.#messages.has(identifier)).length;
    const wanted = new Set(identifiers);
    const passed: Located[] = [];
    for (const message of this.#messages.values()) {
      if (missing === 0) break;
      passed.push(message);
      if (wanted.has(message.identifier)) missing--;
    }
    return passed;
  }

  /** For each file, where its first message begins that is left once some are gone, or where reading goes on. */
  cursorsWithout(passed: readonly Located[]): Map<number, number> {
    const cursors = new Map(this.#readTo);
    const found = new Set<number>();
    let skip = passed.length;
    for (const identifier of this.#messages.keys()) {
      if (skip-- > 0) continue;
      const { sequence, offset } = placeOf(identifier);
      if (!found.has(sequence)) cursors.set(sequence, offset);
      found.add(sequence);
      if (found.size >= this.#files.length) break;
    }
    return cursors;
  }

  remove(messages: readonly Located[]): void {
    for (const { identifier } of messages) this.#messages.delete(identifier);
  }

  /** Leaves out what somebody else has taken over: a file up to an offset. */
  skip(sequence: number, offset: number, isSkipped: (message: Located) => boolean): void {
    this.#readTo.set(sequence, Math.max(offset, this.#readTo.get(sequence) ?? 0));
    for (const message of this.#messages.values())
      if (isSkipped(message)) this.#messages.delete(message.identifier);
    this.#ahead = this.#ahead.filter((message) => !isSkipped(message));
  }

  /** Reads another chunk; tells whether there was one. */
  #readOn(): boolean {
    for (const [index, file] of this.#files.entries()) {
      const offset = this.#readTo.get(file.sequence) ?? 0;
      const { located, next } = readLog(file, offset);
      if (next > offset) {
        this.#readTo.set(file.sequence, next);
        for (const message of located) this.#messages.set(message.identifier, message);
        this.#ahead.push(...located);
        return true;
      }
      if (index < this.#files.length - LIVE_FILES) {
        this.#files.splice(index, 1);
        return this.#readOn();
      }
    }
    return false;
  }
}
