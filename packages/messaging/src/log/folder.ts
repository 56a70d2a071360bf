import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { isCode, KernelLock, replaceFile } from "@ivy/files";
import { randomName } from "../random-name.ts";
import { byDayAndSequence, isLogFile, laneOf } from "./file-name.ts";
import { type NamedFile, UNKNOWN_BOOT, withGapsFilled } from "./gaps.ts";
import { type LastSequences, readLastSequences, writeLastSequences } from "./last-sequences.ts";
import { LANES, LAST_SEQUENCE, type Lane, type Span, spanOfFile } from "./place.ts";
import { decodeHeader, encodeHeader, type LogHeader } from "./record.ts";

/** A file that has reached this size is not appended to any more, so that what has been sent can be deleted in parts. */
const FULL_BYTES = 32 * 1024 * 1024;

/**
 * So many of the newest files of a lane may still be appended to. A writer notices within a second that a newer file has
 * been begun, and goes on in the older one until then.
 */
const LIVE_FILES = 3;

const CREATION_TIMEOUT_MS = 5_000;
const LINE_FEED = 0x0a;
const HEADER_BYTES = 256;

/** A file of the log. */
export interface LogFile extends LogHeader {
  name: string;
  path: string;
  lane: Lane;
  /** Its place in the order of its lane: that of creation, whatever the clock said. */
  sequence: number;
  /** The day in UTC, by the clock of whoever created it: `2026-03-01`. */
  day: string;
  /** Something may still be appended to it. */
  isLive: boolean;
}

/** The day of an instant as the log names it, in UTC. */
function dayOf(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 10);
}

/**
 * The files of the log. Most days have one in each lane, `2026-03-01.jsonl` and perhaps `2026-03-01.urgent.jsonl`. A
 * further one of that day, begun after a boot or when the last was full, has its sequence in its name.
 *
 * INVARIANTS: files are created under a lock, one sequence each, which is never given again: what was done of a file
 * that has been deleted since is still known as done. A file is only appended to during the boot that it was
 * created in: a power cut may take the end of a file that has been sent already, and what were written there instead
 * would be taken for sent.
 */
export class LogFolder {
  readonly path: string;
  readonly #boot: string;
  readonly #headers = new Map<string, LogHeader | undefined>();

  /** @param boot - what tells the present boot of the machine from all others */
  constructor(path: string, boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()) {
    this.path = path;
    this.#boot = boot;
  }

  /** Creates the folder if it is missing. */
  ensure(): void {
    mkdirSync(this.path, { recursive: true });
  }

  /** What tells this log from one that may have been here before; `undefined` while there is none. */
  get log(): string | undefined {
    return LANES.flatMap((lane) => this.list(lane).map(({ log }) => log)).find((log) => log !== "");
  }

  /** The files of a lane in their order. */
  list(lane: Lane): LogFile[] {
    const named = this.#names()
      .filter((name) => laneOf(name) === lane)
      .flatMap((name, index, all) => this.#named(name, index < all.length - LIVE_FILES));
    return withGapsFilled(named, () => readLastSequences(this.#lastFile)?.[lane])
      .sort((a, b) => a.header.file - b.header.file)
      .map(({ name, header }, index, all) => {
        const isOfThisBoot = header.boot === this.#boot || header.boot === UNKNOWN_BOOT;
        const isLive = isOfThisBoot && index >= all.length - LIVE_FILES;
        return this.#describe(name, lane, header, isLive);
      });
  }

  /**
   * The file to append to, which is created if need be: that of today or, after the clock has stepped back, the newest
   * one, so that the order of the log stays the order of adding. Where there is no room for a further file, the newest
   * one as well: that may have some.
   */
  fileToAppend(lane: Lane, nowMs: number): LogFile {
    this.ensure();
    const day = dayOf(nowMs);
    const open = this.#openFor(lane, day);
    if (open !== undefined) return open;
    using lock = new KernelLock(`${this.path}.lock`);
    lock.acquireSync(CREATION_TIMEOUT_MS);
    try {
      return this.#openFor(lane, day) ?? this.#create(lane, day);
    } catch (error) {
      const newest = this.#ofThisBoot(this.list(lane).at(-1));
      if (newest === undefined || !isCode(error, "ENOSPC", "EDQUOT", "EMFILE")) throw error;
      return newest;
    }
  }

  #openFor(lane: Lane, day: string): LogFile | undefined {
    const files = this.list(lane);
    const newest = this.#ofThisBoot(files.at(-1));
    if (newest === undefined || !files.some((file) => file.day === day)) return undefined;
    return sizeOf(newest) < FULL_BYTES ? newest : undefined;
  }

  #ofThisBoot(file: LogFile | undefined): LogFile | undefined {
    return file?.boot === this.#boot ? file : undefined;
  }

  #create(lane: Lane, day: string): LogFile {
    const last = this.#lastSequences();
    const file = last[lane] + 1;
    if (file > LAST_SEQUENCE) throw new Error(this.#hasHadAllFiles);
    const log = this.log ?? randomName();
    const further = this.list(lane).some((other) => other.day === day) ? `.${file}` : "";
    const name = `${day}${further}${lane === "urgent" ? ".urgent" : ""}.jsonl`;
    const header = { file, log, boot: this.#boot };
    writeLastSequences(this.#lastFile, { ...last, [lane]: file });
    replaceFile(join(this.path, name), encodeHeader(header));
    return this.#describe(name, lane, header, true);
  }

  #describe(name: string, lane: Lane, header: LogHeader, isLive: boolean): LogFile {
    const path = join(this.path, name);
    return { ...header, name, path, lane, sequence: header.file, day: name.slice(0, 10), isLive };
  }

  /** Where nothing is noted, the other lane tells how many files somebody may have deleted. */
  #lastSequences(): LastSequences {
    const noted = readLastSequences(this.#lastFile);
    const last = (lane: Lane) => {
      const lanes = noted === undefined ? LANES : [lane];
      return Math.max(noted?.[lane] ?? 0, ...lanes.map((one) => this.list(one).at(-1)?.sequence ?? 0));
    };
    return { urgent: last("urgent"), regular: last("regular") };
  }

  get #hasHadAllFiles(): string {
    const names = `${this.path} and ${this.#lastFile}`;
    return `the log has had all ${LAST_SEQUENCE} files that it can have: once everything is sent, move ${names} away`;
  }

  get #lastFile(): string {
    return `${this.path}.sequences`;
  }

  remove(file: LogFile): void {
    rmSync(file.path, { force: true });
  }

  #names(): string[] {
    const names = new Set(readNames(this.path).filter(isLogFile));
    // One that comes again is another file.
    for (const name of this.#headers.keys()) if (!names.has(name)) this.#headers.delete(name);
    return [...names].sort(byDayAndSequence);
  }

  /**
   * A header never changes, so it is read once; but a file of today may have been deleted and begun anew by another
   * process. One that another process has removed meanwhile has none.
   */
  #named(name: string, isOld: boolean): NamedFile[] {
    try {
      if (!isOld || !this.#headers.has(name)) this.#headers.set(name, readHeader(join(this.path, name)));
      return [{ name, header: this.#headers.get(name) }];
    } catch (error) {
      if (isCode(error, "ENOENT")) return [];
      throw error;
    }
  }
}

function readNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isCode(error, "ENOENT")) return [];
    throw error;
  }
}

/** In bytes; none of a file that is gone. */
export function sizeOf({ path }: LogFile): number {
  try {
    return statSync(path).size;
  } catch (error) {
    if (isCode(error, "ENOENT")) return 0;
    throw error;
  }
}

/** Whether the header of a file is damaged. */
export function hasLostHeader({ boot }: LogFile): boolean {
  return boot === UNKNOWN_BOOT;
}

/** The part of a file in which there may be messages now: what follows its header. */
export function contentOf(file: LogFile): Span {
  const { from } = spanOfFile(file);
  const header = hasLostHeader(file) ? 0 : encodeHeader(file).length;
  return { from: from + header, to: from + sizeOf(file) };
}

function readHeader(path: string): LogHeader | undefined {
  const start = Buffer.alloc(HEADER_BYTES);
  const descriptor = openSync(path, "r");
  try {
    const length = readSync(descriptor, start, 0, start.length, 0);
    return decodeHeader(start.subarray(0, Math.max(0, start.subarray(0, length).indexOf(LINE_FEED))));
  } finally {
    closeSync(descriptor);
  }
}
