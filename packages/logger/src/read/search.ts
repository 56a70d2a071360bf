import { join } from "node:path";
import { blocks, blocksFromEnd } from "./blocks.ts";
import { type LogEnd, logEnd } from "./log-end.ts";
import { beginAfter, beginBefore, instantAt, type LogEntry, parseEntry } from "./log-entry.ts";
import { hintOf, isWithin, type LogFilter, matches, mayHold } from "./log-filter.ts";

/**
 * The wanted entries of a folder of daily files, oldest file first; of a file in the order in which it was written.
 *
 * @param end - what stands behind it is left out
 */
export function* searchLogs(folder: string, filter: LogFilter, end = logEnd(folder)): Generator<LogEntry> {
  for (const [name, size] of end) {
    if (!mayHold(name, filter)) continue;
    for (const block of blocks(join(folder, name), size)) yield* searchText(block, filter);
  }
}

/** The last wanted entries, in the same order; no more is read than needed. */
export function lastEntries(
  folder: string,
  filter: LogFilter,
  count: number,
  end: LogEnd = logEnd(folder),
): LogEntry[] {
  let found: LogEntry[] = [];
  for (const [name, size] of [...end].reverse()) {
    if (!mayHold(name, filter)) continue;
    for (const block of blocksFromEnd(join(folder, name), size)) {
      if (found.length >= count) return found;
      const own = [...searchText(block, filter)];
      found = [...own.slice(Math.max(0, own.length + found.length - count)), ...found];
    }
  }
  return found;
}

/** The wanted entries of a text that holds whole ones, a byte a character. */
export function* searchText(text: string, filter: LogFilter): Generator<LogEntry> {
  const hint = hintOf(filter);
  for (let at = 0; at < text.length; ) {
    if (hint !== undefined) {
      hint.lastIndex = at;
      const found = hint.exec(text);
      if (found === null) return;
      at = Math.max(at, beginBefore(text, found.index));
    }
    const end = beginAfter(text, at);
    const instant = instantAt(text, at);
    if (instant !== undefined && isWithin(instant, filter)) {
      const entry = parseEntry(Buffer.from(text.slice(at, end), "latin1").toString(), instant);
      if (entry !== undefined && matches(entry, filter)) yield entry;
    }
    at = end;
  }
}
