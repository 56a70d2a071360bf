import { KernelLock } from "@ivy/files";
import { QueueUnavailableError } from "../store-error.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { isDamage, isRefusalOfTheDisk, setDatabaseAside } from "./database.ts";
import type { Statements } from "./statements.ts";
import { carryOverDead, inodeOf, openStore, type Store } from "./store.ts";

/** Whoever only reads looks this often whether another process has built the database anew, in milliseconds. */
const LOOK_AGAIN_MS = 1_000;

/** For an opening that waits for another process itself. */
const LOCK_TIMEOUT_MS = 15_000;

export interface MendedStoreOptions {
  /** The database. */
  file: string;
  /** What a new one begins with; `undefined` if nothing is known. */
  known: () => Checkpoint | undefined;
  /** Called whenever one has been opened, while no other process opens it. */
  opened: (store: Store) => void;
  /** Told of a database that had to be set aside. */
  incident: (text: string) => void;
}

/** The database of a queue: set aside and built anew where it is damaged, and left for another that takes its place. */
export class MendedStore {
  readonly #options: MendedStoreOptions;
  /** Not there while the disk does not let it be opened. */
  #store: Store | undefined;
  #lookedAt = performance.now();
  /** A database that has been set aside, and why, until what it holds is carried over. */
  #aside: { kept: string; cause: Error } | undefined;

  constructor(options: MendedStoreOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#store !== undefined;
  }

  /**
   * Does something with the database and, where that turns out to be damaged, again with a new one.
   *
   * @throws QueueUnavailableError where the disk does not let it
   */
  use<Result>(work: (store: Store) => Result): Result {
    if (performance.now() - this.#lookedAt > LOOK_AGAIN_MS) this.#isReplaced();
    try {
      return this.#attempt(work);
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
    this.close();
    return this.#attempt(work);
  }

  /** Once more where another process has set the database aside meanwhile: it would be lost with that. */
  transaction(work: (statements: Statements) => void): void {
    this.use(({ transaction }) => transaction(work));
    if (this.#isReplaced()) this.use(({ transaction }) => transaction(work));
  }

  /** Until it is used again. */
  close(): void {
    const store = this.#store;
    this.#store = undefined;
    store?.database.close();
  }

  #attempt<Result>(work: (store: Store) => Result): Result {
    try {
      this.#store ??= this.#open();
      return work(this.#store);
    } catch (error) {
      throw isRefusalOfTheDisk(error) ? new QueueUnavailableError(this.#options.file, error) : error;
    }
  }

  /** Whether another file has taken the place of the database, which is left then. */
  #isReplaced(): boolean {
    this.#lookedAt = performance.now();
    if (this.#store === undefined || inodeOf(this.#options.file) === this.#store.inode) return false;
    this.close();
    return true;
  }

  #open(): Store {
    const { file, known, incident } = this.#options;
    const store = this.#openAlone();
    if (this.#aside === undefined) return store;
    const { kept, cause } = this.#aside;
    const carried = carryOverDead(kept, store.statements);
    this.#aside = undefined;
    const again = known() === undefined ? "everything in the log is" : "what was sent lately may be";
    incident(
      `${file} cannot be used (${cause.message}). It is kept as ${kept} and built anew with ${carried} of its ` +
        `dead letters; ${again} sent once more`,
    );
    return store;
  }

  /**
   * The database, or a new one where it is damaged: one process at a time, so that none sets aside what another has just
   * built, or opens what is being set aside.
   */
  #openAlone(): Store {
    using lock = new KernelLock(`${this.#options.file}.lock`);
    lock.acquireSync(LOCK_TIMEOUT_MS);
    const store = this.#openOrBuild();
    this.#options.opened(store);
    return store;
  }

  #openOrBuild(): Store {
    const { file, known } = this.#options;
    try {
      return openStore(file, known());
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#aside = { kept: setDatabaseAside(file), cause: error };
      return openStore(file, known());
    }
  }
}
