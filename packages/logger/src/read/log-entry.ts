import type { LogLevel } from "@ivy/types";
import { BEGIN } from "../entry.ts";

/** An entry of a log file; a traceback and other details belong to it. */
export interface LogEntry {
  /** Unix time in milliseconds. */
  instantMs: number;
  origin: string;
  level: LogLevel;
  subject: string;
  /** What stands below the line; empty for most. */
  body: string;
  /** The whole entry as it stands in the file, with its last line feed. */
  text: string;
}

const BEGIN_HERE = new RegExp(BEGIN, "y");

const FIRST_LINE = / - (.*?) +- (DEBUG|INFO|WARNING|ERROR|EXCEPTION) +- (.*)$/;

const HOUR_MS = 3_600_000;

/** Whether an entry begins at an index. */
export function beginsAt(text: string, index: number): boolean {
  BEGIN_HERE.lastIndex = index;
  return BEGIN_HERE.test(text);
}

/** Where the entry begins that an index lies in; -1 where none does before. */
export function beginBefore(text: string, index: number): number {
  for (let at = index; at >= 0; ) {
    const line = at === 0 ? 0 : text.lastIndexOf("\n", at - 1) + 1;
    if (beginsAt(text, line)) return line;
    at = line - 1;
  }
  return -1;
}

/** Where the next entry begins after an index; the end of the text where none does. */
export function beginAfter(text: string, index: number): number {
  for (let at = text.indexOf("\n", index); at >= 0; at = text.indexOf("\n", at + 1)) {
    if (beginsAt(text, at + 1)) return at + 1;
  }
  return text.length;
}

/** When the entry was written that begins at an index, in Unix milliseconds; `undefined` where none begins there. */
export function instantAt(text: string, index: number): number | undefined {
  if (!beginsAt(text, index)) return undefined;
  const [date, time, offset = ""] = text.slice(index, text.indexOf(" - ", index)).split(" ");
  return Date.parse(`${date}T${time}Z`) - Number(offset.slice(3)) * HOUR_MS;
}

/** Reads an entry; `undefined` where it is none. */
export function parseEntry(text: string, instantMs: number): LogEntry | undefined {
  const end = text.indexOf("\n");
  const [, origin = "", level, subject = ""] = FIRST_LINE.exec(end < 0 ? text : text.slice(0, end)) ?? [];
  if (level === undefined) return undefined;
  const body = end < 0 ? "" : text.slice(end + 1).trimEnd();
  return { instantMs, origin, level: level as LogLevel, subject, body, text };
}
