import type { ActiveQueue } from "./active-queue.ts";
import { listLogFiles } from "./log-files.ts";
import { identifierOf, type Located, placeOf } from "./log-reader.ts";
import { LogTail } from "./log-tail.ts";

/** What becomes of messages that were taken. */
export interface Settlement {
  /** They leave the queue: acknowledged, or nothing to send, or set aside as a whole. */
  removed: readonly number[];
  /** Kept as dead letters. One that is not removed as well is still to be sent in part. */
  dead?: readonly { identifier: number; reason: string }[];
}

/** What a settlement changes in the database. */
interface Plan {
  /** Messages that leave the tail, in the order of the log. */
  passed: Located[];
  cursors: Map<number, number>;
}

/**
 * Hands out what is to be sent, in order, each message once, until it is settled or released.
 *
 * What is in the table comes first, for it is older; then the log itself. A message read from the log touches the
 * database only when it is settled: one small transaction moves the cursor past it, and puts into the table those
 * before it that are not settled yet.
 *
 * INVARIANT: a queue has one consumer. Other processes may fill and empty the table meanwhile.
 */
export class Consumer {
  readonly #queue: ActiveQueue;
  readonly #tail: LogTail;
  /** Handed out and neither settled nor released. */
  readonly #taken = new Map<number, Located>();
  /** The cursors as this consumer knows them. */
  #cursors: Map<number, number>;
  /** Messages of the table up to this one have been looked at. */
  #tableReadTo = 0;

  constructor(queue: ActiveQueue, folder: string) {
    this.#queue = queue;
    queue.mayHaveIngested();
    this.#cursors = queue.cursors();
    this.#tail = new LogTail(() => listLogFiles(folder), this.#cursors);
  }

  /** To be called when a file of the log has been created or removed. */
  filesChanged(): void {
    this.#tail.filesChanged();
  }

  /** The next messages, oldest first; none if everything has been taken. */
  take(limit: number): Located[] {
    const next = this.#queue.snapshot(() => {
      this.#acceptForeignIngest();
      return this.#takeFromTable(limit);
    });
    if (next.length < limit) next.push(...this.#tail.take(limit - next.length));
    for (const message of next) this.#taken.set(message.identifier, message);
    return next;
  }

  /**
   * Sets apart what waits now: from here on `take` hands out only what is added after this (and what is urgent), and
   * `takeBacklog` what was there before, until that is used up.
   */
  setBacklogApart(): void {}

  /** The next messages of the backlog that has been set apart, oldest first. */
  takeBacklog(_limit: number): Located[] {
    return [];
  }

  /** Hands out again, later and in order, what is taken and not settled. */
  release(): void {
    this.#taken.clear();
    this.#tableReadTo = 0;
    this.#tail.release();
  }

  /** Durable against the death of this process when it returns. Where it throws, nothing is settled. */
  settle({ removed, dead = [] }: Settlement): void {
    const plan = this.#queue.transaction(() => {
      this.#acceptForeignIngest();
      const draft = this.#plan(removed);
      for (const { identifier, reason } of dead) this.#bury(identifier, reason);
      this.#write(draft, removed);
      return draft;
    });
    this.#tail.remove(plan.passed);
    for (const [sequence, offset] of plan.cursors) this.#cursors.set(sequence, offset);
    for (const identifier of removed) this.#taken.delete(identifier);
  }

  #takeFromTable(limit: number): Located[] {
    const found: Located[] = [];
    while (found.length < limit) {
      const rows = this.#queue.readAfter(this.#tableReadTo, limit - found.length);
      const last = rows.at(-1);
      if (last === undefined) break;
      this.#tableReadTo = last.identifier;
      found.push(...rows.filter(({ identifier }) => !this.#taken.has(identifier)));
    }
    return found;
  }

  /** Which messages leave the tail, and how far that moves the cursors. */
  #plan(removed: readonly number[]): Plan {
    const passed = this.#tail.upToLastOf(removed);
    const moved = this.#tail.cursorsWithout(passed);
    const cursors = new Map(
      [...moved].filter(([sequence, offset]) => this.#cursors.get(sequence) !== offset),
    );
    return { passed, cursors };
  }

  #write({ passed, cursors }: Plan, removed: readonly number[]): void {
    const gone = new Set(removed);
    for (const message of passed) if (!gone.delete(message.identifier)) this.#queue.insert(message);
    for (const identifier of gone) this.#queue.remove(identifier);
    for (const [sequence, offset] of cursors) this.#queue.moveCursor(sequence, offset);
  }

  #bury(identifier: number, reason: string): void {
    const message = this.#taken.get(identifier);
    if (message !== undefined) this.#queue.bury(message, reason);
  }

  /** Where somebody else has moved a cursor, what lies before it is in the table now, or done. */
  #acceptForeignIngest(): void {
    if (!this.#queue.mayHaveIngested()) return;
    for (const [sequence, offset] of this.#queue.cursors()) {
      if (offset <= (this.#cursors.get(sequence) ?? 0)) continue;
      this.#cursors.set(sequence, offset);
      const end = identifierOf(sequence, offset);
      this.#tail.skip(
        sequence,
        offset,
        ({ identifier }) => placeOf(identifier).sequence === sequence && identifier < end,
      );
    }
    this.#tableReadTo = 0;
  }
}
