import { statSync } from "node:fs";
import type { Database } from "better-sqlite3";
import type { Checkpoint } from "./checkpoint.ts";
import { openForSalvage, openQueueDatabase } from "./database.ts";
import { type DeadRow, EVERYTHING, insertAll, prepare, readKnown, type Statements } from "./statements.ts";

/** An open database with its statements. */
export interface Store {
  database: Database;
  statements: Statements;
  /** Tells the file from another that takes its place. */
  inode: number | undefined;
  /** Runs something in a transaction that has the write lock from its beginning. */
  transaction(work: (statements: Statements) => void): void;
}

/** @throws UnusableDatabaseError where any of it is damaged */
export function openStore(file: string, known: Checkpoint | undefined): Store {
  const database = openQueueDatabase(file);
  try {
    const statements = prepare(database);
    const { immediate } = database.transaction((work: (statements: Statements) => void) => work(statements));
    immediate(() => fill(statements, known));
    readKnown(statements);
    return { database, statements, inode: inodeOf(file), transaction: immediate };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** `undefined` where there is no such file. */
export function inodeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino;
}

/** A new database begins with everything, or with what is known to have been pending. */
function fill({ about, set, clear, insert }: Statements, known: Checkpoint | undefined): void {
  if (about.get("filled") !== undefined) return;
  clear.run();
  insertAll(insert, known?.pending ?? EVERYTHING);
  set.run("log", known?.log ?? "");
  set.run("filled", 1);
}

/** As many as can be read; returns how many. */
export function carryOverDead(kept: string, { bury }: Statements): number {
  let carried = 0;
  try {
    using old = openForSalvage(kept);
    for (const row of old.prepare("SELECT * FROM dead").iterate() as Iterable<DeadRow>) {
      bury.run(row.id, row.line, row.reason, row.at);
      carried++;
    }
  } catch {
    // What cannot be read stays in the file that is kept.
  }
  return carried;
}
