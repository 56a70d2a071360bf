import { closeSync, openSync, readSync } from "node:fs";
import { beginAfter, beginBefore } from "./log-entry.ts";

const CHUNK_BYTES = 1024 * 1024;

/** Longer than any entry: what is longer without a beginning is none. */
const LONGEST_ENTRY = 16 * CHUNK_BYTES;

/** The first bytes of a file in blocks of whole entries, a byte a character, from its begin on. */
export function* blocks(path: string, size: number): Generator<string> {
  const descriptor = openSync(path, "r");
  try {
    let rest = "";
    for (let at = 0; at < size; at += CHUNK_BYTES) {
      const text = rest + readChunk(descriptor, at, Math.min(size, at + CHUNK_BYTES));
      const lastBegin = beginBefore(text, text.length);
      const end = lastBegin <= 0 && text.length > LONGEST_ENTRY ? text.length : Math.max(0, lastBegin);
      yield text.slice(0, end);
      rest = text.slice(end);
    }
    yield rest;
  } finally {
    closeSync(descriptor);
  }
}

/** The same back to its begin. */
export function* blocksFromEnd(path: string, size: number): Generator<string> {
  const descriptor = openSync(path, "r");
  try {
    let rest = "";
    for (let end = size; end > 0; end -= CHUNK_BYTES) {
      const begin = Math.max(0, end - CHUNK_BYTES);
      const text = readChunk(descriptor, begin, end) + rest;
      const isUnreadable = text.length > LONGEST_ENTRY;
      // What stands before the first line that is whole belongs to an entry that begins further up.
      const first = begin === 0 ? 0 : beginAfter(text, 0);
      yield text.slice(first);
      rest = isUnreadable ? "" : text.slice(0, first);
    }
  } finally {
    closeSync(descriptor);
  }
}

function readChunk(descriptor: number, begin: number, end: number): string {
  const buffer = Buffer.alloc(end - begin);
  return buffer.toString("latin1", 0, readSync(descriptor, buffer, 0, buffer.length, begin));
}
