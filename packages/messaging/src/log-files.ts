import { randomBytes } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { isCode, syncFolder } from "@ivy/files";
import { decodeHeader, encodeHeader } from "./record.ts";

const DAY_FILE = /^\d{4}-\d{2}-\d{2}\.jsonl$/;
const LINE_FEED = 0x0a;

/** A file of the log. */
export interface LogFile {
  name: string;
  path: string;
  /** Its place in the order of all files: that of their creation, whatever the clock said. */
  sequence: number;
}

/** The day of an instant as the log names it, in UTC. */
export function dayName(nowMs: number): string {
  return `${new Date(nowMs).toISOString().slice(0, 10)}.jsonl`;
}

/** The files of the log in their order. */
export function listLogFiles(folder: string): LogFile[] {
  const named = readdirSync(folder)
    .filter((name) => DAY_FILE.test(name))
    .sort()
    .map((name) => ({ name, path: join(folder, name), sequence: readSequence(join(folder, name)) }));
  return withGapsFilled(named).sort((a, b) => a.sequence - b.sequence);
}

/**
 * The file to append to: that of today, which is created if need be. After the clock has stepped back, the newest
 * file instead, so that the order of the log stays the order of adding.
 */
export function fileToAppend(folder: string, nowMs: number): LogFile {
  mkdirSync(folder, { recursive: true });
  const name = dayName(nowMs);
  for (;;) {
    const files = listLogFiles(folder);
    const newest = files.at(-1);
    if (newest !== undefined && (newest.name === name || files.some((file) => file.name === name)))
      return newest;
    createFile(folder, name, (newest?.sequence ?? 0) + 1);
  }
}

/** Creates a file with its header, whole or not at all; another process may be faster. */
function createFile(folder: string, name: string, sequence: number): void {
  const draft = join(folder, `.${name}.${process.pid}-${randomBytes(4).toString("hex")}.tmp`);
  const descriptor = openSync(draft, "wx", 0o644);
  try {
    writeSync(descriptor, encodeHeader(sequence));
    fsyncSync(descriptor);
    linkSync(draft, join(folder, name));
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
  } finally {
    closeSync(descriptor);
    rmSync(draft, { force: true });
  }
  syncFolder(folder);
}

function readSequence(path: string): number | undefined {
  const start = Buffer.alloc(64);
  const descriptor = openSync(path, "r");
  try {
    const length = readSync(descriptor, start, 0, start.length, 0);
    return decodeHeader(start.subarray(0, Math.max(0, start.subarray(0, length).indexOf(LINE_FEED))));
  } finally {
    closeSync(descriptor);
  }
}

/** A file whose header is damaged takes the first number that is free after its predecessor by name: its own, usually. */
function withGapsFilled(files: (Omit<LogFile, "sequence"> & { sequence: number | undefined })[]): LogFile[] {
  const taken = new Set(files.map(({ sequence }) => sequence));
  let previous = 0;
  return files.map((file) => {
    let { sequence } = file;
    if (sequence === undefined) {
      sequence = previous + 1;
      while (taken.has(sequence)) sequence++;
      taken.add(sequence);
    }
    previous = sequence;
    return { ...file, sequence };
  });
}
