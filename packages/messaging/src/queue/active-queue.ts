import type { Span } from "../log/place.ts";
import type { LogRecord } from "../log/record.ts";
import { joined, without } from "../log/spans.ts";
import { QueueUnavailableError } from "../store-error.ts";
import type { Buried, BuriedRecord } from "./buried.ts";
import { type Checkpoint, readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { isDamage, isWantOfRoom, setDatabaseAside } from "./database.ts";
import { dropPythonQueue, hasPythonQueue, readPythonQueue } from "./python-original.ts";
import {
  bury,
  EVERYTHING,
  insertAll,
  readDead,
  readPending,
  type Statements,
  subtract,
} from "./statements.ts";
import { carryOverDead, openStore, type Store } from "./store.ts";

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

/**
 * Which parts of the log are still to be sent, and the dead letters, in SQLite.
 *
 * The messages themselves stay in the log: a queue of millions of them is a row or two here. Parts of the log that do
 * not exist yet are still to be sent as well, so adding a message changes nothing here.
 *
 * INVARIANTS: what is pending only ever becomes less, but for a log that has been replaced by another, and a file whose
 * place has been mistaken. So an older state of it, which a power cut or a checkpoint gives back, sends messages once
 * more and never loses one.
 */
export class ActiveQueue {
  readonly #file: string;
  readonly #incident: (text: string) => void;
  /** Not there while there is no room on the disk to open it. */
  #store: Store | undefined;
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
      this.#store = this.#open(checkpoint);
    } catch (error) {
      if (!(error instanceof QueueUnavailableError)) throw error;
      // What is left can be sent all the same; some of it once more.
      this.#pending = checkpoint?.pending ?? EVERYTHING;
      incident(error.message);
    }
  }

  /** The parts of the log that are still to be sent, whoever has changed them last. */
  pending(): readonly Span[] {
    if (this.#store === undefined) return this.#pending;
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

  /**
   * Durable against the death of this process when it returns. Where it throws, nothing has changed.
   *
   * @throws QueueUnavailableError for want of room on the disk
   */
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

  /** All of a part of the log is still to be sent, whatever was known of it. */
  restore(span: Span): void {
    this.#transaction((statements) => {
      subtract(statements, span);
      insertAll(statements.insert, [span]);
    });
    this.#version = -1;
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
    if (this.#store === undefined) return;
    this.#guarded(({ database, transaction }) => {
      if (!hasPythonQueue(database)) return;
      transaction(() => {
        // Another process may have been faster.
        if (!hasPythonQueue(database)) return;
        append(readPythonQueue(database));
        dropPythonQueue(database);
      });
    });
  }

  close(): void {
    if (this.#changed) this.#checkpoint();
    this.#store?.database.close();
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
    try {
      this.#guarded(({ database }) => {
        // Never ahead of the database: what a power cut took from that would be neither pending nor a dead letter.
        database.pragma("wal_checkpoint(FULL)");
        writeCheckpoint(this.#checkpointFile, { log: this.#log, pending: this.pending() });
      });
    } catch (error) {
      this.#incident(`${this.#checkpointFile} could not be written: ${(error as Error).message}`);
    }
  }

  #transaction(work: (statements: Statements) => void): void {
    this.#guarded(({ transaction }) => transaction(work));
  }

  /** Does something with the database and, where that turns out to be damaged, again with a new one. */
  #guarded<Result>(work: (store: Store) => Result): Result {
    this.#store ??= this.#open(readCheckpoint(this.#checkpointFile));
    try {
      return work(this.#store);
    } catch (error) {
      if (!isDamage(error)) throw this.#explain(error);
      this.#store.database.close();
      const log = readCheckpoint(this.#checkpointFile)?.log ?? "";
      this.#store = this.#buildAnew(error, { log, pending: this.#pending });
      return work(this.#store);
    }
  }

  /** @throws QueueUnavailableError for want of room on the disk */
  #open(known: Checkpoint | undefined): Store {
    this.#version = -1;
    try {
      return openStore(this.#file, known);
    } catch (error) {
      if (isDamage(error)) return this.#buildAnew(error, known);
      throw this.#explain(error);
    }
  }

  #explain(error: unknown): unknown {
    return isWantOfRoom(error) ? new QueueUnavailableError(this.#file, error) : error;
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
