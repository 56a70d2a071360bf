import { linkSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { isCode } from "@ivy/files";
import type { MessageQueueItem } from "@ivy/types";
import type { Database, Statement } from "better-sqlite3";
import { type LogFile, listLogFiles } from "./log-files.ts";
import { type Located, readLog } from "./log-reader.ts";

/** Loaded when the first queue is opened: whoever only adds messages never pays for it. */
const require = createRequire(import.meta.url);

const SCHEMA_VERSION = 1;
const BUSY_RETRY_MS = 10_000;

/** A message that is set aside: no server will ever take it, or not the whole of it. */
export interface DeadLetter<Body> extends MessageQueueItem<Body> {
  reason: string;
  /** ISO 8601, in UTC: when it was set aside. */
  set_aside_at: string;
}

interface Row {
  id: number;
  t: number;
  r: number | null;
  body: string;
}

/**
 * The queue's table and its place in the log, in SQLite.
 *
 * INVARIANTS: a message of the log is in exactly one of three states: behind the cursor of its file and in the table
 * (not acknowledged), behind the cursor and not in the table (done), or before the cursor (not looked at yet). Cursor
 * and table change in one transaction. All of it can be rebuilt from the log; then messages may be sent once more.
 */
export class ActiveQueue {
  readonly #folder: string;
  readonly #database: Database;
  readonly #statements: ReturnType<typeof prepare>;
  #dataVersion = 0;
  #ingested = false;

  /**
   * @param file - the database
   * @param folder - the folder of the log
   * @param incident - told of a database that had to be set aside
   */
  constructor(file: string, folder: string, incident: (text: string) => void) {
    this.#folder = folder;
    this.#database = openOrRebuild(file, incident);
    this.#statements = prepare(this.#database);
  }

  /** Offsets up to which the files of the log have been taken over, by the files' sequence. */
  cursors(): Map<number, number> {
    return new Map(this.#statements.cursors.all().map(({ k, v }) => [k, v]));
  }

  /** Whether the log may have been taken over since this was last asked: by another connection, or by `ingest`. */
  mayHaveIngested(): boolean {
    const version = Number(this.#database.pragma("data_version", { simple: true }));
    const changed = this.#ingested || version !== this.#dataVersion;
    this.#dataVersion = version;
    this.#ingested = false;
    return changed;
  }

  /** Takes over what the log holds, so that every message not yet done is in the table. */
  ingest(): void {
    for (const file of listLogFiles(this.#folder)) {
      while (this.transaction(() => this.#ingestChunk(file)));
    }
  }

  /** Messages of the table with a higher identifier, oldest first. */
  readAfter(identifier: number, limit: number): Located[] {
    return this.#statements.after.all(identifier, limit).map(toLocated);
  }

  /** The message, if it is in the table. */
  find(identifier: number): Located | undefined {
    const row = this.#statements.find.get(identifier);
    return row === undefined ? undefined : toLocated(row);
  }

  insert({ identifier, record }: Located): void {
    this.#statements.insert.run(identifier, record.t, record.r ?? null, JSON.stringify(record.m));
    this.#count("queued", 1);
  }

  remove(identifier: number): void {
    const { changes } = this.#statements.remove.run(identifier);
    if (changes > 0) this.#count("queued", -changes);
  }

  bury({ identifier, record }: Located, reason: string): void {
    const body = JSON.stringify(record.m);
    const at = new Date().toISOString();
    const { changes } = this.#statements.bury.run(identifier, record.t, record.r ?? null, body, reason, at);
    this.#count("dead", changes);
  }

  moveCursor(sequence: number, offset: number): void {
    this.#statements.setCursor.run(sequence, offset);
  }

  deadLetters(limit: number): { located: Located; reason: string; at: string }[] {
    return this.#statements.dead
      .all(limit)
      .map((row) => ({ located: toLocated(row), reason: row.reason, at: row.at }));
  }

  /** Kept as they change, for counting millions of rows takes long. */
  counts(): { queued: number; dead: number } {
    const read = (name: string) => this.#statements.counter.get(name)?.v ?? 0;
    return { queued: read("queued"), dead: read("dead") };
  }

  /** Runs a function that sees the database as it is at one instant. */
  snapshot<Result>(work: () => Result): Result {
    return this.#database.transaction(work).deferred();
  }

  /** Runs a function in a transaction that takes the write lock first, waiting for other processes' transactions. */
  transaction<Result>(work: () => Result): Result {
    const deadline = performance.now() + BUSY_RETRY_MS;
    const transaction = this.#database.transaction(work);
    for (;;) {
      try {
        return transaction.immediate();
      } catch (error) {
        if (!isCode(error, "SQLITE_BUSY") || performance.now() > deadline) throw error;
        pause(0.2 + Math.random() * 0.8);
      }
    }
  }

  close(): void {
    this.#database.close();
  }

  #ingestChunk(file: LogFile): boolean {
    const offset = this.#statements.cursor.get(file.sequence)?.v ?? 0;
    const { located, next } = readLog(file, offset);
    if (next === offset) return false;
    for (const message of located) this.insert(message);
    this.moveCursor(file.sequence, next);
    this.#ingested = true;
    return true;
  }

  #count(name: "queued" | "dead", change: number): void {
    if (change !== 0) this.#statements.addToCounter.run(name, change);
  }
}

function toLocated({ id, t, r, body }: Row): Located {
  return { identifier: id, record: { id: "", t, m: JSON.parse(body), ...(r === null ? {} : { r }) } };
}

/** A wait without the event loop, far below a millisecond's worth of other processes' transaction. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function openOrRebuild(file: string, incident: (text: string) => void): Database {
  try {
    return open(file);
  } catch (error) {
    if (!isCode(error, "SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_CANTOPEN_CORRUPT", "IVY_QUEUE_NEWER"))
      throw error;
    const kept = setAside(file);
    incident(
      `${file} cannot be used (${(error as Error).message}); it is kept as ${kept}, and the queue is built anew from ` +
        "the log: messages may be sent once more",
    );
    return open(file);
  }
}

function open(file: string): Database {
  const Sqlite = require("better-sqlite3") as typeof import("better-sqlite3");
  const database = new Sqlite(file);
  try {
    // Small pages: an acknowledgement changes one of them. WAL with NORMAL never corrupts; what a power cut takes from
    // it is acknowledgements, so messages are sent once more.
    for (const pragma of [
      "page_size = 1024",
      "journal_mode = WAL",
      "synchronous = NORMAL",
      "journal_size_limit = 8388608",
    ]) {
      database.pragma(pragma);
    }
    database.pragma("busy_timeout = 0");
    createTables(database);
    database.prepare("SELECT max(id), min(id) FROM queue").get();
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function createTables(database: Database): void {
  const version = database.pragma("user_version", { simple: true });
  if (version === SCHEMA_VERSION) return;
  if (Number(version) > SCHEMA_VERSION) {
    const newer = new Error(`its schema is version ${version}, this software knows ${SCHEMA_VERSION}`);
    throw Object.assign(newer, { code: "IVY_QUEUE_NEWER" });
  }
  database.exec(`
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS queue (id INTEGER PRIMARY KEY, t INTEGER NOT NULL, r INTEGER, body TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS dead (
      id INTEGER PRIMARY KEY, t INTEGER NOT NULL, r INTEGER, body TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS cursor (k INTEGER PRIMARY KEY, v INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS counter (k TEXT PRIMARY KEY, v INTEGER NOT NULL) WITHOUT ROWID;
    PRAGMA user_version = ${SCHEMA_VERSION};
    COMMIT;
  `);
  database.pragma("wal_checkpoint(TRUNCATE)");
}

function setAside(file: string): string {
  for (let attempt = 1; ; attempt++) {
    const kept = `${file}.bad-${attempt}`;
    try {
      linkSync(file, kept);
    } catch (error) {
      if (isCode(error, "EEXIST")) continue;
      throw error;
    }
    for (const part of ["", "-wal", "-shm"]) rmSync(`${file}${part}`, { force: true });
    return kept;
  }
}

function prepare(database: Database) {
  const one = <Input extends unknown[], Output = unknown>(sql: string): Statement<Input, Output> =>
    database.prepare<Input, Output>(sql);
  return {
    after: one<[number, number], Row>("SELECT id, t, r, body FROM queue WHERE id > ? ORDER BY id LIMIT ?"),
    find: one<[number], Row>("SELECT id, t, r, body FROM queue WHERE id = ?"),
    insert: one<[number, number, number | null, string]>("INSERT OR IGNORE INTO queue VALUES (?, ?, ?, ?)"),
    remove: one<[number]>("DELETE FROM queue WHERE id = ?"),
    bury: one<[number, number, number | null, string, string, string]>(
      "INSERT OR IGNORE INTO dead VALUES (?, ?, ?, ?, ?, ?)",
    ),
    dead: one<[number], Row & { reason: string; at: string }>("SELECT * FROM dead ORDER BY id LIMIT ?"),
    cursors: one<[], { k: number; v: number }>("SELECT k, v FROM cursor"),
    cursor: one<[number], { v: number }>("SELECT v FROM cursor WHERE k = ?"),
    setCursor: one<[number, number]>(
      "INSERT INTO cursor VALUES (?, ?) ON CONFLICT DO UPDATE SET v = excluded.v",
    ),
    counter: one<[string], { v: number }>("SELECT v FROM counter WHERE k = ?"),
    addToCounter: one<[string, number]>(
      "INSERT INTO counter VALUES (?, ?) ON CONFLICT DO UPDATE SET v = v + excluded.v",
    ),
  };
}
