import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { LogFile } from "./log-files.ts";
import { decodeRecord, type LogRecord } from "./record.ts";

const LINE_FEED = 0x0a;
const CHUNK_BYTES = 64 * 1024;

/** An identifier is the place of a message in the log: the file's sequence, then the offset within it. */
const OFFSET_RANGE = 2 ** 36;

/** A record with its place. */
export interface Located {
  identifier: number;
  record: LogRecord;
}

/** What has been read of a file. */
export interface Read {
  located: Located[];
  /** Offset at which to go on: that of the first line that is not whole yet. */
  next: number;
  /** Lines that are torn or damaged. */
  damaged: number;
}

export function identifierOf(sequence: number, offset: number): number {
  return sequence * OFFSET_RANGE + offset;
}

export function placeOf(identifier: number): { sequence: number; offset: number } {
  return { sequence: Math.floor(identifier / OFFSET_RANGE), offset: identifier % OFFSET_RANGE };
}

/** Reads whole lines of a file from an offset on: a chunk of them, or one line if it is longer than that. */
export function readLog(file: LogFile, offset: number): Read {
  const descriptor = openSync(file.path, "r");
  try {
    const { size } = fstatSync(descriptor);
    for (let length = CHUNK_BYTES; ; length *= 2) {
      const chunk = Buffer.alloc(Math.max(0, Math.min(length, size - offset)));
      const bytes = chunk.subarray(0, readSync(descriptor, chunk, 0, chunk.length, offset));
      const end = bytes.lastIndexOf(LINE_FEED) + 1;
      if (end > 0 || bytes.length < length) return parse(file.sequence, bytes.subarray(0, end), offset);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** All records of a file, damaged lines left out. */
export function readWholeLog(file: LogFile): Located[] {
  const all: Located[] = [];
  for (let offset = 0; ; ) {
    const { located, next } = readLog(file, offset);
    if (next === offset) return all;
    all.push(...located);
    offset = next;
  }
}

function parse(sequence: number, bytes: Buffer, offset: number): Read {
  const located: Located[] = [];
  let damaged = 0;
  let start = 0;
  for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
    const record = decodeRecord(bytes.subarray(start, end));
    if (record !== undefined) located.push({ identifier: identifierOf(sequence, offset + start), record });
    else if (end > start && offset + start > 0) damaged++;
    start = end + 1;
  }
  return { located, next: offset + start, damaged };
}
