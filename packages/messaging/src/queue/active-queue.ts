import type { Span } from "../log/place.ts";
import type { LogRecord } from "../log/record.ts";
import { joined, without } from "../log/spans.ts";
import { QueueUnavailableError } from "../store-error.ts";
import type { Buried, BuriedRecord } from "./buried.ts";
import { type Checkpoint, readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { MendedStore } from "./mended-store.ts";
import { dropPythonQueue, hasPythonQueue, readPythonQueue } from "./python-original.ts";
import {
  addDropped,
  bury,
  catchUp,
  EVERYTHING,
  insertAll,
  readDead,
  readDropped,
  readKnown,
  readLogName,
  subtract,
  trimDead,
} from "./statements.ts";
import type { Store } from "./store.ts";

/** How long after a checkpoint the next one is due, in milliseconds. */
const CHECKPOINT_MS = 600_000;

/** More are not kept: the oldest go. */
const MOST_DEAD_LETTERS = 10_000;
const MOST_DEAD_BYTES = 64 * 1024 ** 2;

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
  readonly #store: MendedStore;
  /** What was pending as it was last known; `undefined` if nothing is known. */
  #known: Checkpoint | undefined;
  /** The version of the database that this is from; -1 if it is from elsewhere, or out of date. */
  #version = -1;
  #checkpointAt = performance.now();
  #changed = false;
  #toldOfTrimmed = false;

  /**
   * @param file - the database
   * @param incident - told of a database that had to be set aside
   */
  constructor(file: string, incident: (text: string) => void) {
    this.#file = file;
    this.#incident = incident;
    this.#known = readCheckpoint(this.#checkpointFile);
    this.#store = new MendedStore({
      file,
      incident,
      known: () => this.#known,
      opened: (store) => this.#opened(store),
    });
    unlessRefused(() => this.#store.use(() => undefined), incident);
  }

  /** The parts of the log that are still to be sent, whoever has changed them last. */
  pending(): readonly Span[] {
    if (this.#store.isOpen) unlessRefused(() => this.#store.use((store) => this.#refresh(store)));
    return this.#known?.pending ?? EVERYTHING;
  }

  /** Takes a log for that of this queue. If it has been another, all of the new one is still to be sent. */
  recognise(log: string): void {
    const before = this.#store.use(({ statements }) => readLogName(statements));
    if (before === log) return;
    const isReplaced = before !== "" && readCheckpoint(this.#checkpointFile)?.log !== log;
    this.#store.transaction(({ set, clear, insert }) => {
      set.run("log", log);
      if (!isReplaced) return;
      clear.run();
      insertAll(insert, EVERYTHING);
    });
    this.#version = -1;
    if (!isReplaced) return;
    this.#known = { log, pending: EVERYTHING };
    this.#incident("The log has been replaced by another: all of it is still to be sent");
  }

  /**
   * Durable against the death of this process when it returns. Where it throws, nothing has changed.
   *
   * @throws QueueUnavailableError where the disk does not let it
   */
  apply({ done, dead = [] }: Change): void {
    const spans = joined(done);
    let trimmed = 0;
    this.#store.transaction((statements) => {
      for (const span of spans) subtract(statements, span);
      for (const { located, reason } of dead) bury(statements, located, reason);
      trimmed = dead.length > 0 ? trimDead(statements, MOST_DEAD_LETTERS, MOST_DEAD_BYTES) : 0;
    });
    if (trimmed > 0) this.#tellOfTrimmed();
    const { log, pending } = this.#known ?? { log: "", pending: EVERYTHING };
    this.#known = { log, pending: spans.reduce(without, pending) };
    this.#changed = true;
    if (performance.now() - this.#checkpointAt > CHECKPOINT_MS) this.#checkpoint();
  }

  /** All of a part of the log is still to be sent, whatever was known of it. */
  restore(span: Span): void {
    this.#store.transaction((statements) => {
      subtract(statements, span);
      insertAll(statements.insert, [span]);
    });
    this.#version = -1;
  }

  /** The oldest dead letters. */
  deadLetters(limit: number): BuriedRecord[] {
    return this.#store.use(({ statements }) => readDead(statements, limit));
  }

  /** Removes dead letters. */
  forget(identifiers: readonly number[]): void {
    this.#store.transaction(({ forget }) => {
      for (const identifier of identifiers) forget.run(identifier);
    });
  }

  /** Notes that messages have been dropped unsent. */
  countDropped(messages: number): void {
    this.#store.transaction((statements) => addDropped(statements, messages));
  }

  /** How many dead letters there are, and how many messages have been dropped unsent since the queue began. */
  counts(): { dead: number; dropped: number } {
    return this.#store.use(({ statements }) => ({
      dead: statements.countDead.get()?.count ?? 0,
      dropped: readDropped(statements),
    }));
  }

  /**
   * Takes over what Python Ivy has left unsent in its queue, which was kept in the same file.
   *
   * @param append - stores records durably in the log
   */
  takeOverPythonQueue(append: (records: LogRecord[]) => void): void {
    if (!this.#store.isOpen) return;
    this.#store.use(({ database, transaction }) => {
      if (!hasPythonQueue(database)) return;
      transaction(() => {
        // Another process may have been faster.
        if (!hasPythonQueue(database)) return;
        append(readPythonQueue(database));
        dropPythonQueue(database);
      });
      database.pragma("wal_checkpoint(TRUNCATE)");
    });
  }

  close(): void {
    if (this.#changed) this.#checkpoint();
    this.#store.close();
  }

  get #checkpointFile(): string {
    return `${this.#file}.checkpoint`;
  }

  /** Writes down what is pending, for the day on which the database turns out to be broken. */
  #checkpoint(): void {
    this.#checkpointAt = performance.now();
    this.#changed = false;
    try {
      this.#store.use((store) => {
        // Never ahead of the database: what a power cut took from that would be neither pending nor a dead letter.
        store.database.pragma("wal_checkpoint(FULL)");
        writeCheckpoint(this.#checkpointFile, this.#refresh(store));
      });
    } catch (error) {
      this.#incident(`${this.#checkpointFile} could not be written: ${(error as Error).message}`);
    }
  }

  /** Once: where one more is too many, every further one is. */
  #tellOfTrimmed(): void {
    if (this.#toldOfTrimmed) return;
    this.#toldOfTrimmed = true;
    this.#incident(
      `There are more dead letters than are kept (${MOST_DEAD_LETTERS}, or ${MOST_DEAD_BYTES / 1024 ** 2} MiB): ` +
        "the oldest are dropped, from now on too",
    );
  }

  #refresh({ statements }: Store): Checkpoint {
    const version = statements.version.get()?.data_version ?? 0;
    if (version !== this.#version || this.#known === undefined) this.#known = readKnown(statements);
    this.#version = version;
    return this.#known;
  }

  #opened({ transaction }: Store): void {
    const known = this.#known;
    // It may be of another process that knew less.
    if (this.#version !== -1 && known !== undefined) transaction((statements) => catchUp(statements, known));
    this.#version = -1;
  }
}

/** What is known can be sent all the same; some of it once more. */
function unlessRefused(work: () => void, told: (text: string) => void = () => undefined): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof QueueUnavailableError)) throw error;
    told(error.message);
  }
}
