/**
 * Decides when what has been written is synced to the disk.
 *
 * Calls that ask for a sync while one is running share the next; those of one turn of the event loop share one too.
 * Within a window, the first write is synced at once, and those after it together when the window ends.
 */
export class GroupCommit {
  readonly #sync: () => Promise<void>;
  readonly #windowMs: number;
  readonly #failed: (error: unknown) => void;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  /** When the window ends, on the monotonic clock. */
  #windowEnd = Number.NEGATIVE_INFINITY;
  /** Set once something has been written within the window: one message alone costs no further wake-up. */
  #atItsEnd: NodeJS.Timeout | undefined;

  /**
   * @param sync - makes everything written so far durable
   * @param failed - told of a sync that nobody waits for and that failed
   */
  constructor(sync: () => Promise<void>, windowMs: number, failed: (error: unknown) => void) {
    this.#sync = sync;
    this.#windowMs = windowMs;
    this.#failed = failed;
  }

  /** Resolves once everything written before this call is on the disk. */
  now(): Promise<void> {
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        this.#running = this.#sync();
        return this.#running;
      });
    return this.#next;
  }

  /** Sees to it that what has just been written is on the disk when the window ends, at the latest. */
  soon(): void {
    const left = this.#windowEnd - performance.now();
    if (left <= 0) this.#open();
    else this.#atItsEnd ??= setTimeout(() => this.#open(), left);
  }

  /** Ends the window early; resolves once everything is on the disk. */
  async flush(): Promise<void> {
    clearTimeout(this.#atItsEnd);
    this.#atItsEnd = undefined;
    await this.now();
  }

  #open(): void {
    clearTimeout(this.#atItsEnd);
    this.#atItsEnd = undefined;
    this.#windowEnd = performance.now() + this.#windowMs;
    this.now().catch(this.#failed);
  }
}
