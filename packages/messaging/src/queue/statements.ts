import type { Database, Statement } from "better-sqlite3";
import { crc32 } from "../log/crc32.ts";
import { LANES, type Span, spanOfLane } from "../log/place.ts";
import { decodeRecord, encodeRecord } from "../log/record.ts";
import { joined, without } from "../log/spans.ts";
import type { Buried, BuriedRecord } from "./buried.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { UnusableDatabaseError } from "./database.ts";

/** What is still to be sent of a log of which nothing has been sent. */
export const EVERYTHING: readonly Span[] = LANES.map(spanOfLane);

/** Takes a part of the log out of what is pending. */
export function subtract({ touching, remove, insert }: Statements, gone: Span): void {
  for (const span of touching.all(gone.to, gone.from, gone.from).map(checked)) {
    remove.run(span.from);
    insertAll(insert, without([span], gone));
  }
}

export function insertAll(insert: Statements["insert"], spans: readonly Span[]): void {
  for (const { from, to } of spans) insert.run(from, to, checksumOf(from, to));
}

export function bury({ bury }: Statements, { identifier, record }: Buried, reason: string): void {
  bury.run(identifier, encodeRecord(record), reason, new Date().toISOString());
}

/**
 * Drops the oldest dead letters over the limits, and counts them.
 *
 * @param bytes - most bytes of all of them
 * @returns how many
 */
export function trimDead(statements: Statements, letters: number, bytes: number): number {
  const { changes } = statements.trimDead.run(letters, bytes);
  if (changes > 0) addDropped(statements, changes);
  return changes;
}

export function addDropped(statements: Statements, messages: number): void {
  statements.set.run("dropped", readDropped(statements) + messages);
}

/** The log that the database is of; "" where that is not known yet. */
export function readLogName({ about }: Statements): string {
  return String(about.get("log")?.v ?? "");
}

/** How many messages have been dropped unsent. */
export function readDropped({ about }: Statements): number {
  return Number(about.get("dropped")?.v ?? 0);
}

/** @throws UnusableDatabaseError where a row is damaged */
export function readKnown(statements: Statements): Checkpoint {
  return { log: readLogName(statements), pending: spansOf(statements.pending.all()) };
}

/** Makes done what was done once: of the same log, less and less is pending. */
export function catchUp(statements: Statements, { log, pending }: Checkpoint): void {
  if (log === "" || !["", log].includes(readLogName(statements))) return;
  statements.set.run("log", log);
  for (const done of pending.reduce(without, EVERYTHING)) subtract(statements, done);
}

/** @throws UnusableDatabaseError where a row is damaged */
export function spansOf(rows: readonly PendingRow[]): Span[] {
  return joined(rows.map(checked));
}

export function readDead({ dead }: Statements, limit: number): BuriedRecord[] {
  const rows = limit >= 1 ? dead.all(Math.min(Math.floor(limit), Number.MAX_SAFE_INTEGER)) : [];
  return rows.flatMap(({ id, line, reason, at }) => {
    const record = decodeRecord(Buffer.from(line.trimEnd()));
    return record === undefined ? [] : [{ identifier: id, record, reason, at }];
  });
}

export interface PendingRow {
  start: number;
  end: number;
  c: number;
}

function checksumOf(from: number, to: number): number {
  return crc32(Buffer.from(`${from}-${to}`));
}

/** A flipped bit in a number would skip messages, and SQLite itself does not notice one. */
function checked({ start, end, c }: PendingRow): Span {
  if (c !== checksumOf(start, end)) throw new UnusableDatabaseError("a row of it is damaged");
  return { from: start, to: end };
}

export interface DeadRow {
  id: number;
  line: string;
  reason: string;
  at: string;
}

/** What is asked of the database, prepared once. */
export interface Statements {
  version: Statement<[], { data_version: number }>;
  pending: Statement<[], PendingRow>;
  touching: Statement<[to: number, from: number, from: number], PendingRow>;
  insert: Statement<[start: number, end: number, checksum: number]>;
  remove: Statement<[start: number]>;
  clear: Statement<[]>;
  about: Statement<[key: string], { v: string | number }>;
  set: Statement<[key: string, value: string | number]>;
  bury: Statement<[id: number, line: string, reason: string, at: string]>;
  trimDead: Statement<[letters: number, bytes: number]>;
  dead: Statement<[limit: number], DeadRow>;
  forget: Statement<[id: number]>;
  countDead: Statement<[], { count: number }>;
}

/** @throws UnusableDatabaseError where its tables are not what they should be */
export function prepare(database: Database): Statements {
  const one = <Input extends unknown[], Output = unknown>(sql: string): Statement<Input, Output> => {
    try {
      return database.prepare<Input, Output>(sql);
    } catch (error) {
      throw new UnusableDatabaseError((error as Error).message, { cause: error });
    }
  };
  return {
    version: one("PRAGMA data_version"),
    pending: one(`SELECT start, "end", c FROM pending ORDER BY start`),
    touching: one(
      `SELECT start, "end", c FROM pending WHERE start < ? AND "end" > ?
       AND start >= coalesce((SELECT max(start) FROM pending WHERE start <= ?), 0)`,
    ),
    insert: one("INSERT INTO pending VALUES (?, ?, ?)"),
    remove: one("DELETE FROM pending WHERE start = ?"),
    clear: one("DELETE FROM pending"),
    about: one("SELECT v FROM about WHERE k = ?"),
    set: one("INSERT INTO about VALUES (?, ?) ON CONFLICT DO UPDATE SET v = excluded.v"),
    bury: one("INSERT OR IGNORE INTO dead VALUES (?, ?, ?, ?)"),
    trimDead: one(
      `DELETE FROM dead WHERE id IN (
         SELECT id FROM (
           SELECT id, row_number() OVER newest AS letters, sum(octet_length(line)) OVER newest AS bytes
           FROM dead WINDOW newest AS (ORDER BY id DESC)
         ) WHERE letters > ? OR bytes > ?)`,
    ),
    dead: one("SELECT id, line, reason, at FROM dead ORDER BY id LIMIT ?"),
    forget: one("DELETE FROM dead WHERE id = ?"),
    countDead: one("SELECT count(*) AS count FROM dead"),
  };
}
