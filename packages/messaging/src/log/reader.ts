import { isAscii } from "node:buffer";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { isCode } from "@ivy/files";
import { type LogFile, sizeOf } from "./folder.ts";
import { numberOf, type Span, spanOfFile } from "./place.ts";
import {
  decodeHeader,
  decodeRecord,
  type FoundRecord,
  type LogRecord,
  salvage,
  shownHead,
} from "./record.ts";
import { isSealed, SEAL_LENGTH } from "./seal.ts";

const LINE_FEED = 0x0a;
const CHUNK_BYTES = 64 * 1024;

/** A record with its place. */
export interface Located {
  /** Place of the record as a number: unique, and never used again. */
  identifier: number;
  record: LogRecord;
  /** What of the log is done once the record is: the record itself, and whatever unreadable stands before it. */
  span: Span;
}

/** What has been read of a file. */
export interface Read {
  located: Located[];
  /** Offset at which to go on. */
  next: number;
  /** Lines before that which are torn or damaged. */
  damaged: number;
}

/**
 * Reads a chunk of records from one offset of a file up to another, or to its end. What is read ends with a record, or
 * holds none.
 *
 * @param isFinal - whether the last line is torn if it is not whole; the rest of it may still come otherwise
 */
export function readLog(file: LogFile, from: number, to: number, isFinal: boolean): Read {
  const bytes = readLines(file.path, from, to);
  const base = numberOf({ lane: file.lane, sequence: file.sequence, offset: from });
  const located: Located[] = [];
  let [read, done, damagedDone, damaged] = [0, 0, 0, 0];
  for (let start = 0; start < bytes.length; start = read) {
    const lineEnd = endOfLine(bytes, start);
    const next = Math.min(lineEnd + 1, bytes.length);
    const { records, isDamaged } = readLine(bytes.subarray(start, lineEnd), from + start);
    if (records.length === 0 && lineEnd === bytes.length && !isFinal) break;
    if (isDamaged) damaged++;
    for (const { at, length, record } of records) {
      const end = start + at + length === lineEnd ? next : start + at + length;
      const span = { from: base + done, to: base + end };
      located.push({ identifier: base + start + at, record, span });
      [done, damagedDone] = [end, damaged];
    }
    read = next;
  }
  if (located.length === 0) return { located, next: from + read, damaged };
  return { located, next: from + done, damaged: damagedDone };
}

/** The record that begins at an offset, if one does. */
export function readRecordAt(file: LogFile, offset: number): Located | undefined {
  const { from, to } = spanOfFile(file);
  const bytes = readLines(file.path, offset, to - from);
  const lineEnd = endOfLine(bytes, 0);
  const [first] = readLine(bytes.subarray(0, lineEnd), offset).records;
  if (first?.at !== 0) return undefined;
  const end = first.length === lineEnd ? Math.min(lineEnd + 1, bytes.length) : first.length;
  const identifier = from + offset;
  return { identifier, record: first.record, span: { from: identifier, to: identifier + end } };
}

/** The offset behind the last line of a file that is whole: what follows may be in the making. */
export function endOfLines(file: LogFile): number {
  const size = sizeOf(file);
  for (let length = CHUNK_BYTES; ; length *= 2) {
    const from = Math.max(0, size - length);
    const end = readLines(file.path, from, size, length).lastIndexOf(LINE_FEED) + 1;
    if (end > 0 || from === 0) return from + end;
  }
}

/** All records of a file. */
export function* readWholeLog(file: LogFile): Generator<Located> {
  const { from, to } = spanOfFile(file);
  for (let offset = 0; ; ) {
    const { located, next } = readLog(file, offset, to - from, true);
    if (next === offset) return;
    yield* located;
    offset = next;
  }
}

/** A time from an instant up to, but without, another, in Unix milliseconds. */
export interface Period {
  fromMs: number;
  toMs: number;
}

/** A record whose body is still the JSON text that it was written as. */
export interface TextRecord extends Pick<LogRecord, "t" | "r"> {
  m: string;
}

/**
 * The records of a file that were added in a period, some at a time. Their bodies are not decoded, and what was not
 * added then is passed over.
 */
export function* readPeriod(file: LogFile, period: Period): Generator<TextRecord[]> {
  const { from, to } = spanOfFile(file);
  for (let offset = 0; ; ) {
    const bytes = readLines(file.path, offset, to - from);
    const end = bytes.lastIndexOf(LINE_FEED) + 1;
    if (end === 0) return;
    yield recordsWithin(bytes.subarray(0, end), offset, period);
    offset += end;
  }
}

/** Works on a text with a byte a character, which is several times faster than on bytes. */
function recordsWithin(bytes: Buffer, offset: number, { fromMs, toMs }: Period): TextRecord[] {
  const text = bytes.toString("latin1");
  const isText = isAscii(bytes);
  const isWithin = (t: number) => t >= fromMs && t < toMs;
  const found: TextRecord[] = [];
  for (let start = 0, lineEnd = 0; start < text.length; start = lineEnd + 1) {
    lineEnd = text.indexOf("\n", start);
    const head = shownHead(text, start);
    if (head !== undefined && !isWithin(head.t)) continue;
    if (head !== undefined && isSealed(bytes, start, lineEnd)) {
      const end = lineEnd - SEAL_LENGTH;
      const m = isText ? text.slice(head.body, end) : bytes.toString("utf8", head.body, end);
      found.push({ t: head.t, r: head.r, m });
      continue;
    }
    // A line without a head may be a damaged one, with records in it.
    for (const { record } of readLine(bytes.subarray(start, lineEnd), offset + start).records)
      if (isWithin(record.t)) found.push(toTextRecord(record));
  }
  return found;
}

export function toTextRecord({ t, r, m }: LogRecord): TextRecord {
  return { t, r, m: JSON.stringify(m) };
}

/** A chunk of lines, or one line if it is longer than that; the last of a file may be in the making. */
function readLines(path: string, from: number, to: number, chunkBytes = CHUNK_BYTES): Buffer {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (error) {
    if (isCode(error, "ENOENT")) return Buffer.alloc(0);
    throw error;
  }
  try {
    const available = Math.max(0, Math.min(to, fstatSync(descriptor).size) - from);
    for (let length = chunkBytes; ; length *= 2) {
      const chunk = Buffer.alloc(Math.min(length, available));
      const bytes = chunk.subarray(0, readSync(descriptor, chunk, 0, chunk.length, from));
      if (bytes.length === available) return bytes;
      const end = bytes.lastIndexOf(LINE_FEED) + 1;
      if (end > 0) return bytes.subarray(0, end);
    }
  } finally {
    closeSync(descriptor);
  }
}

function endOfLine(bytes: Buffer, start: number): number {
  const end = bytes.indexOf(LINE_FEED, start);
  return end < 0 ? bytes.length : end;
}

function readLine(line: Buffer, offset: number): { records: FoundRecord[]; isDamaged: boolean } {
  const record = decodeRecord(line);
  if (record !== undefined) return { records: [{ at: 0, length: line.length, record }], isDamaged: false };
  const isHeader = offset === 0 && decodeHeader(line) !== undefined;
  if (line.length === 0 || isHeader) return { records: [], isDamaged: false };
  return { records: salvage(line), isDamaged: true };
}
