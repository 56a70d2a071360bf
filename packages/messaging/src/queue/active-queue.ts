import { crc32 } from "node:zlib";
import type { Database, Statement } from "better-sqlite3";
import { LANES, type Span, spanOfLane } from "../log/place.ts";
import type { Located } from "../log/reader.ts";
import { decodeRecord, encodeRecord, type LogRecord } from "../log/record.ts";
import { joined, without } from "../log/spans.ts";
import { type Checkpoint, readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import {
  isDamage,
  openForSalvage,
  openQueueDatabase,
  setDatabaseAside,
  UnusableDatabaseError,
} from "./database.ts";
import { dropPythonQueue, hasPythonQueue, readPythonQueue } from "./python-original.ts";

/** How long after a checkpoint the next one is due, in milliseconds. */
const CHECKPOINT_MS = 600_000;

/** More are not kept: the oldest go. */
const MOST_DEAD_LETTERS = 10_000;

/** What becomes of messages. */
export interface Change {
  /** Parts of the log with nothing in them any more that is to be sent. */
  done: readonly Span[];
  /** Messages to keep as dead letters. */
  dead?: readonly { located: Buried; reason: string }[];
}

type Buried = Pick<Located, "identifier" | "record">;

/** A dead letter as the database keeps it. */
export interface BuriedRecord {
  identifier: number;
  record: LogRecord;
  reason: string;
  /** ISO 8601, in UTC. */
  at: string;
}

const EVERYTHING: readonly Span[] = LANES.map(spanOfLane);

/**
 * Which parts of the log are still to be sent, and the dead letters, in SQLite.
 *
 * The messages themselves stay in the log: a queue of millions of them is a row or two here. Parts of the log that do
 * not exist yet are still to be sent as well, so adding a message changes nothing here.
 *
 * INVARIANTS: what is pending only ever becomes less, but for a log that has been replaced by another. So an older
 * state of it, which a power cut or a checkpoint gives back, sends messages once more and never loses one.
 */
export class ActiveQueue {
  readonly #file: string;
  readonly #incident: (text: string) => void;
  #store: Store;
  /** The pending parts as they were last known, and the version of the database that they are from. */
  #pending: readonly Span[] = EVERYTHING;
  #version = -1;
  #checkpointAt = performance.now();
  #changed = false;

  /**
   * @param file - the database
   * @param incident - told of a database that had to be set aside
   */
  constructor(file: string, incident: (text: string) => void) {
    this.#file = file;
    this.#incident = incident;
    const checkpoint = readCheckpoint(this.#checkpointFile);
    try {
      this.#store = openStore(file, checkpoint);
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#store = this.#buildAnew(error, checkpoint);
    }
  }

  /** The parts of the log that are still to be sent, whoever has changed them last. */
  pending(): readonly Span[] {
    return this.#guarded(({ statements }) => {
      const version = statements.version.get()?.data_version ?? 0;
      if (version !== this.#version) this.#pending = readPending(statements);
      this.#version = version;
      return this.#pending;
    });
  }

  /** Takes a log for that of this queue. If it has been another, all of the new one is still to be sent. */
  recognise(log: string): void {
    const before = this.#log;
    if (before === log) return;
    const isReplaced = before !== "" && readCheckpoint(this.#checkpointFile)?.log !== log;
    this.#transaction(({ set, clear, insert }) => {
      set.run("log", log);
      if (!isReplaced) return;
      clear.run();
      insertAll(insert, EVERYTHING);
    });
    this.#version = -1;
    if (isReplaced) this.#incident("The log has been replaced by another: all of it is still to be sent");
  }

  /** Durable against the death of this process when it returns. Where it throws, nothing has changed. */
  apply({ done, dead = [] }: Change): void {
    const spans = joined(done);
    this.#transaction((statements) => {
      for (const span of spans) subtract(statements, span);
      for (const { located, reason } of dead) bury(statements, located, reason);
      if (dead.length > 0) statements.trimDead.run(MOST_DEAD_LETTERS);
    });
    this.#pending = spans.reduce(without, this.#pending);
    this.#changed = true;
    if (performance.now() - this.#checkpointAt > CHECKPOINT_MS) this.#checkpoint();
  }

  /** The oldest dead letters. */
  deadLetters(limit: number): BuriedRecord[] {
    return this.#guarded(({ statements }) => readDead(statements, limit));
  }

  /** Removes dead letters. */
  forget(identifiers: readonly number[]): void {
    this.#transaction(({ forget }) => {
      for (const identifier of identifiers) forget.run(identifier);
    });
  }

  /** Notes that messages have been dropped unsent. */
  countDropped(messages: number): void {
    this.#transaction(({ set }) => set.run("dropped", this.counts().dropped + messages));
  }

  /** How many dead letters there are, and how many messages have been dropped unsent since the queue began. */
  counts(): { dead: number; dropped: number } {
    return this.#guarded(({ statements: { countDead, about } }) => ({
      dead: countDead.get()?.count ?? 0,
      dropped: Number(about.get("dropped")?.v ?? 0),
    }));
  }

  /**
   * Takes over what Python Ivy has left unsent in its queue, which was kept in the same file.
   *
   * @param append - stores records durably in the log
   */
  takeOverPythonQueue(append: (records: LogRecord[]) => void): void {
    const { database } = this.#store;
    if (!hasPythonQueue(database)) return;
    this.#transaction(() => {
      // Another process may have been faster.
      if (!hasPythonQueue(database)) return;
      append(readPythonQueue(database));
      dropPythonQueue(database);
    });
  }

  close(): void {
    if (this.#changed) this.#checkpoint();
    this.#store.database.close();
  }

  get #log(): string {
    return this.#guarded(({ statements }) => String(statements.about.get("log")?.v ?? ""));
  }

  get #checkpointFile(): string {
    return `${this.#file}.checkpoint`;
  }

  /** Writes down what is pending, for the day on which the database turns out to be broken. */
  #checkpoint(): void {
    this.#checkpointAt = performance.now();
    this.#changed = false;
    writeCheckpoint(this.#checkpointFile, { log: this.#log, pending: this.pending() });
  }

  #transaction(work: (statements: Statements) => void): void {
    this.#guarded(({ transaction }) => transaction(work));
  }

  /** Does something with the database and, where that turns out to be damaged, again with a new one. */
  #guarded<Result>(work: (store: Store) => Result): Result {
    try {
      return work(this.#store);
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#store.database.close();
      const log = readCheckpoint(this.#checkpointFile)?.log ?? "";
      this.#store = this.#buildAnew(error, { log, pending: this.#pending });
      return work(this.#store);
    }
  }

  /** @param known - what is known to have been pending once; everything if nothing is known */
  #buildAnew(cause: Error, known: Checkpoint | undefined): Store {
    this.#version = -1;
    try {
      // Another process may have noticed the damage first.
      return openStore(this.#file, known);
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
    const kept = setDatabaseAside(this.#file);
    const store = openStore(this.#file, known);
    const carried = carryOverDead(kept, store.statements);
    const again = known === undefined ? "everything in the log is" : "what was sent lately may be";
    this.#incident(
      `${this.#file} cannot be used (${cause.message}). It is kept as ${kept} and built anew with ${carried} of its ` +
        `dead letters; ${again} sent once more`,
    );
    return store;
  }
}

/** An open database with its statements. */
interface Store {
  database: Database;
  statements: Statements;
  /** Runs something in a transaction that has the write lock from its beginning. */
  transaction(work: (statements: Statements) => void): void;
}

type Statements = ReturnType<typeof prepare>;

/** @throws UnusableDatabaseError where any of it is damaged */
function openStore(file: string, known: Checkpoint | undefined): Store {
  const database = openQueueDatabase(file);
  try {
    const statements = prepare(database);
    const { immediate } = database.transaction((work: (statements: Statements) => void) => work(statements));
    immediate(() => fill(statements, known));
    readPending(statements);
    return { database, statements, transaction: immediate };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** A new database begins with everything, or with what is known to have been pending. */
function fill({ about, set, clear, insert }: Statements, known: Checkpoint | undefined): void {
  if (about.get("filled") !== undefined) return;
  clear.run();
  insertAll(insert, known?.pending ?? EVERYTHING);
  set.run("log", known?.log ?? "");
  set.run("filled", 1);
}

function subtract({ touching, remove, insert }: Statements, gone: Span): void {
  for (const span of touching.all(gone.to, gone.from, gone.from).map(checked)) {
    remove.run(span.from);
    insertAll(insert, without([span], gone));
  }
}

function insertAll(insert: Statements["insert"], spans: readonly Span[]): void {
  for (const { from, to } of spans) insert.run(from, to, checksumOf(from, to));
}

function bury({ bury }: Statements, { identifier, record }: Buried, reason: string): void {
  bury.run(identifier, encodeRecord(record), reason, new Date().toISOString());
}

function readPending({ pending }: Statements): Span[] {
  return joined(pending.all().map(checked));
}

function readDead({ dead }: Statements, limit: number): BuriedRecord[] {
  return dead.all(limit).flatMap(({ id, line, reason, at }) => {
    const record = decodeRecord(Buffer.from(line.trimEnd()));
    return record === undefined ? [] : [{ identifier: id, record, reason, at }];
  });
}

/** As many as can be read; returns how many. */
function carryOverDead(kept: string, { bury }: Statements): number {
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

interface Row {
  start: number;
  end: number;
  c: number;
}

function checksumOf(from: number, to: number): number {
  return crc32(`${from}-${to}`);
}

/** A flipped bit in a number would skip messages, and SQLite itself does not notice one. */
function checked({ start, end, c }: Row): Span {
  if (c !== checksumOf(start, end)) throw new UnusableDatabaseError("a row of it is damaged");
  return { from: start, to: end };
}

interface DeadRow {
  id: number;
  line: string;
  reason: string;
  at: string;
}

/** @throws UnusableDatabaseError where its tables are not what they should be */
function prepare(database: Database) {
  const one = <Input extends unknown[], Output = unknown>(sql: string): Statement<Input, Output> => {
    try {
      return database.prepare<Input, Output>(sql);
    } catch (error) {
      throw new UnusableDatabaseError((error as Error).message, { cause: error });
    }
  };
  return {
    version: one<[], { data_version: number }>("PRAGMA data_version"),
    pending: one<[], Row>(`SELECT start, "end", c FROM pending ORDER BY start`),
    touching: one<[number, number, number], Row>(
      `SELECT start, "end", c FROM pending WHERE start < ? AND "end" > ?
       AND start >= coalesce((SELECT max(start) FROM pending WHERE start <= ?), 0)`,
    ),
    insert: one<[number, number, number]>("INSERT INTO pending VALUES (?, ?, ?)"),
    remove: one<[number]>("DELETE FROM pending WHERE start = ?"),
    clear: one<[]>("DELETE FROM pending"),
    about: one<[string], { v: string | number }>("SELECT v FROM about WHERE k = ?"),
    set: one<[string, string | number]>(
      "INSERT INTO about VALUES (?, ?) ON CONFLICT DO UPDATE SET v = excluded.v",
    ),
    bury: one<[number, string, string, string]>("INSERT OR IGNORE INTO dead VALUES (?, ?, ?, ?)"),
    trimDead: one<[number]>(
      "DELETE FROM dead WHERE id IN (SELECT id FROM dead ORDER BY id DESC LIMIT -1 OFFSET ?)",
    ),
    dead: one<[number], DeadRow>("SELECT id, line, reason, at FROM dead ORDER BY id LIMIT ?"),
    forget: one<[number]>("DELETE FROM dead WHERE id = ?"),
    countDead: one<[], { count: number }>("SELECT count(*) AS count FROM dead"),
  };
}
