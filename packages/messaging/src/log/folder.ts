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
import { LANES, type Lane, type Span, spanOfFile } from "./place.ts";
import { decodeHeader, encodeHeader, type LogHeader } from "./record.ts";

/** A file that has reached this size is not appended to any more, so that what has been sent can be deleted in parts. */
const FULL_BYTES = 32 * 1024 * 1024;

const CREATION_TIMEOUT_MS = 5_000;
const LINE_FEED = 0x0a;
const HEADER_BYTES = 256;
const NAME = /^\d{4}-\d{2}-\d{2}(?:\.(\d+))?(?:\.urgent)?\.jsonl$/;

/** A file of the log. */
export interface LogFile extends LogHeader {
  name: string;
  path: string;
  lane: Lane;
  /** Its place in the order of its lane: that of creation, whatever the clock said. */
  sequence: number;
  /** The day in UTC, by the clock of whoever created it: `2026-03-01`. */
  day: string;
}

/** The day of an instant as the log names it, in UTC. */
function dayOf(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 10);
}

/**
 * The files of the log. Most days have one in each lane, `2026-03-01.jsonl` and perhaps `2026-03-01.urgent.jsonl`. A
 * further one of that day, begun after a boot or when the last was full, has its sequence in its name.
 *
 * INVARIANTS: files are created under a lock, one sequence each. A file is only appended to during the boot that it was
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
      .map((name) => ({ name, header: this.#header(name) }));
    return withGapsFilled(named)
      .map(({ name, header }) => {
        const day = name.slice(0, 10);
        return { ...header, name, path: join(this.path, name), lane, sequence: header.file, day };
      })
      .sort((a, b) => a.sequence - b.sequence);
  }

  /**
   * The file to append to, which is created if need be: that of today or, after the clock has stepped back, the newest
   * one, so that the order of the log stays the order of adding.
   */
  fileToAppend(lane: Lane, nowMs: number): LogFile {
    this.ensure();
    const day = dayOf(nowMs);
    const open = this.#openFor(lane, day);
    if (open !== undefined) return open;
    using lock = new KernelLock(`${this.path}.lock`);
    lock.acquireSync(CREATION_TIMEOUT_MS);
    return this.#openFor(lane, day) ?? this.#create(lane, day);
  }

  #openFor(lane: Lane, day: string): LogFile | undefined {
    const files = this.list(lane);
    const newest = files.at(-1);
    if (newest === undefined || newest.boot !== this.#boot) return undefined;
    if (!files.some((file) => file.day === day)) return undefined;
    return sizeOf(newest) < FULL_BYTES ? newest : undefined;
  }

  #create(lane: Lane, day: string): LogFile {
    const files = this.list(lane);
    const newest = files.at(-1) ?? this.list(lane === "urgent" ? "regular" : "urgent").at(-1);
    const file = (files.at(-1)?.sequence ?? 0) + 1;
    const log = newest?.log || randomName();
    const further = files.some((other) => other.day === day) ? `.${file}` : "";
    const name = `${day}${further}${lane === "urgent" ? ".urgent" : ""}.jsonl`;
    const header = { file, log, boot: this.#boot };
    replaceFile(join(this.path, name), encodeHeader(header));
    return { ...header, name, path: join(this.path, name), lane, sequence: file, day };
  }

  remove(file: LogFile): void {
    rmSync(file.path, { force: true });
    this.#headers.delete(file.name);
  }

  #names(): string[] {
    try {
      return readdirSync(this.path)
        .filter((name) => NAME.test(name))
        .sort(byDayAndSequence);
    } catch (error) {
      if (isCode(error, "ENOENT")) return [];
      throw error;
    }
  }

  /** A header never changes, so it is read once. */
  #header(name: string): LogHeader | undefined {
    if (!this.#headers.has(name)) this.#headers.set(name, readHeader(join(this.path, name)));
    return this.#headers.get(name);
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

/** The part of a file in which there may be messages now: what follows its header. */
export function contentOf(file: LogFile): Span {
  const { from } = spanOfFile(file);
  const header = file.boot === "" ? 0 : encodeHeader(file).length;
  return { from: from + header, to: from + sizeOf(file) };
}

function laneOf(name: string): Lane {
  return name.endsWith(".urgent.jsonl") ? "urgent" : "regular";
}

/** The first file of a day has no sequence in its name. */
function byDayAndSequence(a: string, b: string): number {
  return byText(a.slice(0, 10), b.slice(0, 10)) || (sequenceIn(a) ?? 0) - (sequenceIn(b) ?? 0);
}

/** Not `localeCompare`, which takes 10 ms to load what it knows of languages. */
function byText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function sequenceIn(name: string): number | undefined {
  const [, sequence] = NAME.exec(name) ?? [];
  return sequence === undefined ? undefined : Number(sequence);
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

interface NamedFile {
  name: string;
  header: LogHeader | undefined;
}

/**
 * A file whose header is damaged takes the sequence from its name. Where that has none, the first number that is free
 * after its predecessor by name: its own, usually.
 */
function withGapsFilled(files: readonly NamedFile[]): { name: string; header: LogHeader }[] {
  const taken = new Set(files.map(({ header }) => header?.file));
  const log = files.find(({ header }) => header !== undefined)?.header?.log ?? "";
  let previous = 0;
  return files.map(({ name, header }) => {
    let file = header?.file ?? sequenceIn(name);
    if (file === undefined) {
      file = previous + 1;
      while (taken.has(file)) file++;
      taken.add(file);
    }
    previous = file;
    return { name, header: header ?? { file, log, boot: "" } };
  });
}
