import { closeSync, openSync, readSync, watch } from "node:fs";
import { join } from "node:path";
import { listDailyFiles, sizeOf } from "../limits.ts";
import { type LogEnd, logEnd } from "./log-end.ts";
import type { LogEntry } from "./log-entry.ts";
import type { LogFilter } from "./log-filter.ts";
import { searchText } from "./search.ts";

const LINE_FEED = 0x0a;

/**
 * Calls back with every wanted entry that is written from now on, by whatever process, until the signal aborts.
 * Woken by the kernel; nothing happens while nothing is written.
 *
 * @param folder - folder of the daily files
 * @returns where the files ended that it begins behind, so that what was there before can be searched for
 * @throws where there is no such folder
 */
export function followLogs(
  folder: string,
  filter: LogFilter,
  { signal, found }: { signal: AbortSignal; found: (entry: LogEntry) => void },
): LogEnd {
  // Watched before it is looked at, for what is added in between.
  watch(folder, { signal }, () => {
    for (const name of listDailyFiles(folder)) {
      const { text, next } = readFrom(join(folder, name), done.get(name) ?? 0);
      done.set(name, next);
      for (const entry of searchText(text, filter)) found(entry);
    }
  });
  const begin = logEnd(folder);
  const done = new Map(begin);
  return begin;
}

/** The whole lines that have been added, a byte a character: an entry is one write. */
function readFrom(path: string, from: number): { text: string; next: number } {
  const size = sizeOf(path);
  // A file that has become smaller is another one.
  const begin = size < from ? 0 : from;
  if (size === begin) return { text: "", next: begin };
  const bytes = Buffer.alloc(size - begin);
  const descriptor = openSync(path, "r");
  try {
    const read = bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, begin));
    const end = read.lastIndexOf(LINE_FEED) + 1;
    return { text: read.toString("latin1", 0, end), next: begin + end };
  } finally {
    closeSync(descriptor);
  }
}
