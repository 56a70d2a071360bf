import { existsSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { isCode, LockFileError } from "@ivy/files";
import type { Database } from "better-sqlite3";

/** Loaded when the first queue is opened: whoever only adds messages never pays for it. */
const require = createRequire(import.meta.url);

const SCHEMA_VERSION = 1;

/** Transactions are short; one that waits longer than this for another process has met one that hangs. */
const BUSY_TIMEOUT_MS = 10_000;

/** How long to wait where SQLite does not by itself, in milliseconds. */
const BUSY_PAUSE_MS = 5;

/** Nobody ever wakes who waits for this. */
const PAUSE = new Int32Array(new SharedArrayBuffer(4));

const DISK_ERRORS = ["SQLITE_READONLY", "SQLITE_IOERR", "SQLITE_FULL", "SQLITE_CANTOPEN"];
/** The same as numbers. */
const DISK_CODES = [8, 10, 13, 14];

/** The database cannot be used: broken, or written by a software newer than this. */
export class UnusableDatabaseError extends Error {
  override readonly name = "UnusableDatabaseError";
}

/**
 * Opens the database of the queue, creating what is missing.
 *
 * @throws UnusableDatabaseError where it is damaged or newer than this software
 */
export function openQueueDatabase(file: string): Database {
  const Sqlite = require("better-sqlite3") as typeof import("better-sqlite3");
  let database: Database | undefined;
  try {
    database = new Sqlite(file);
    configure(database);
    createTables(database);
    check(database);
    return database;
  } catch (error) {
    database?.close();
    // What is asked of it here is always the same, so an error of SQL is a header that says another format.
    const isUnusable = isDamage(error) || isCode(error, "SQLITE_ERROR");
    throw isUnusable ? new UnusableDatabaseError((error as Error).message, { cause: error }) : error;
  }
}

/** Opens a database that has been set aside, for whatever of it can still be read. */
export function openForSalvage(file: string): Database & Disposable {
  const Sqlite = require("better-sqlite3") as typeof import("better-sqlite3");
  const database = new Sqlite(file, { fileMustExist: true });
  return Object.assign(database, { [Symbol.dispose]: () => database.close() });
}

/** Whether an error says that what is on the disk is broken. */
export function isDamage(error: unknown): error is Error {
  if (error instanceof UnusableDatabaseError || isCode(error, "SQLITE_NOTADB", "SQLITE_FORMAT")) return true;
  return error instanceof Error && "code" in error && String(error.code).startsWith("SQLITE_CORRUPT");
}

/** Whether an error says that the disk is full or read-only: SQLite says so of some files only by a failed call. */
export function isRefusalOfTheDisk(error: unknown): error is Error {
  if (error instanceof LockFileError) return isRefusalOfTheDisk(error.cause);
  if (!(error instanceof Error)) return false;
  // Of better-sqlite3 and, for the lock, of node:sqlite.
  if ("errcode" in error) return DISK_CODES.includes(Number(error.errcode) & 0xff);
  const code = "code" in error ? String(error.code) : "";
  return DISK_ERRORS.some((kind) => code === kind || code.startsWith(`${kind}_`));
}

/** Moves a database out of the way, under the first name that is free; returns that. */
export function setDatabaseAside(file: string): string {
  let attempt = 1;
  while (existsSync(`${file}.bad-${attempt}`)) attempt++;
  const kept = `${file}.bad-${attempt}`;
  for (const part of ["-wal", ""]) if (existsSync(file + part)) renameSync(file + part, kept + part);
  rmSync(`${file}-shm`, { force: true });
  return kept;
}

function configure(database: Database): void {
  // Small pages: an acknowledgement changes one of them. WAL with NORMAL never corrupts; what a power cut takes from
  // it is acknowledgements, so messages are sent once more.
  database.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
  database.pragma("page_size = 1024");
  useWal(database);
  database.pragma("synchronous = NORMAL");
}

/** Of two processes that make the same new database, SQLite refuses one at once, whatever its time-out. */
function useWal(database: Database): void {
  const patience = performance.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    try {
      database.pragma("journal_mode = WAL");
      return;
    } catch (error) {
      if (!isCode(error, "SQLITE_BUSY") || performance.now() > patience) throw error;
      Atomics.wait(PAUSE, 0, 0, BUSY_PAUSE_MS);
    }
  }
}

function createTables(database: Database): void {
  const version = () => Number(database.pragma("user_version", { simple: true }));
  if (version() > SCHEMA_VERSION) {
    throw new UnusableDatabaseError(
      `its schema is version ${version()}, this software knows ${SCHEMA_VERSION}`,
    );
  }
  if (version() === SCHEMA_VERSION) return;
  database
    .transaction(() => {
      // Another process may have been faster.
      if (version() === SCHEMA_VERSION) return;
      if (hasTable(database, "pending")) throw new UnusableDatabaseError("its schema has lost its version");
      database.exec(`
        CREATE TABLE pending (start INTEGER PRIMARY KEY, "end" INTEGER NOT NULL, c INTEGER NOT NULL);
        CREATE TABLE dead (id INTEGER PRIMARY KEY, line TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL);
        CREATE TABLE about (k TEXT PRIMARY KEY, v NOT NULL) WITHOUT ROWID;
        PRAGMA user_version = ${SCHEMA_VERSION};
      `);
    })
    .immediate();
  database.pragma("wal_checkpoint(TRUNCATE)");
}

function hasTable(database: Database, name: string): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?").get(name) !== undefined;
}

/** It holds little, so all of it can be looked at. */
function check(database: Database): void {
  const [verdict] = database.pragma("quick_check(1)") as { quick_check: string }[];
  if (verdict?.quick_check !== "ok") throw new UnusableDatabaseError(String(verdict?.quick_check));
}
