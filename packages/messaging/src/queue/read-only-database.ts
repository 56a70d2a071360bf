import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import type { Span } from "../log/place.ts";
import { EVERYTHING, type PendingRow, spansOf } from "./statements.ts";

/** What the database of a queue holds. */
export interface QueueContents {
  pending: readonly Span[];
  dead: number;
  dropped: number;
  /** What Python Ivy has left unsent, if it is its queue still. */
  original?: OriginalQueue;
}

/** A queue of Python Ivy, which is taken over when messages are first used. */
export interface OriginalQueue {
  messages: number;
  bytes: number;
  /** Unix time in seconds; null where there are none. */
  oldest: number | null;
}

/**
 * Reads the database of a queue and leaves its folder as it is, to the byte: whoever looks at a node that has stopped,
 * or whose disk is full or read-only, changes nothing. Others may write to it meanwhile.
 *
 * @throws where it is damaged or cannot be read
 */
export function readQueueDatabase(file: string): QueueContents {
  if (!isNotEmpty(`${file}-wal`)) return read(immutable(file));
  // Whoever has the database open keeps both files; SQLite then only takes a lock.
  if (existsSync(`${file}-shm`)) return read(file);
  const folder = mkdtempSync(join(tmpdir(), "ivy-queue-"));
  try {
    const copy = join(folder, basename(file));
    for (const part of ["", "-wal"]) copyFileSync(file + part, copy + part);
    return read(copy);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Without this, SQLite creates the files that it would need for writing. */
function immutable(file: string): URL {
  const url = pathToFileURL(file);
  url.search = "immutable=1";
  return url;
}

function isNotEmpty(file: string): boolean {
  return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

function read(file: string | URL): QueueContents {
  using database = new DatabaseSync(file, { readOnly: true, timeout: 100 });
  const original = readOriginal(database);
  if (original !== undefined) return { pending: EVERYTHING, dead: 0, dropped: 0, original };
  const rows = database.prepare(`SELECT start, "end", c FROM pending`).all() as unknown as PendingRow[];
  const dead = database.prepare("SELECT count(*) AS n FROM dead").get() as { n: number };
  const dropped = database.prepare("SELECT v FROM about WHERE k = 'dropped'").get() as
    | { v: number }
    | undefined;
  return { pending: spansOf(rows), dead: dead.n, dropped: Number(dropped?.v ?? 0) };
}

function readOriginal(database: DatabaseSync): OriginalQueue | undefined {
  const columns = database.prepare("SELECT name FROM pragma_table_info('queue')").all();
  if (!columns.some(({ name }) => name === "internal_id")) return undefined;
  const sums = "count(*) AS messages, total(length(message_body)) AS bytes, min(timestamp) AS oldest";
  return database.prepare(`SELECT ${sums} FROM queue`).get() as unknown as OriginalQueue;
}
