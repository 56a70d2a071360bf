const FIRST_MS = 1_000;
const LONGEST_MS = 300_000;
/** A process that has run this long has started well. */
const WELL_STARTED_MS = 60_000;

/** So many deaths in a row, each soon after the start, are a crash loop. */
const CRASH_LOOP = 3;

/**
 * How long to wait before a process that died is started again: not at all the first time, and longer each time that
 * it dies again soon.
 */
export class RestartPause {
  readonly #random: () => number;
  #deaths = 0;
  #last = 0;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Whether it has died soon after its start again and again. */
  get isCrashLoop(): boolean {
    return this.#deaths >= CRASH_LOOP;
  }

  /** One that has run this long has started well, in milliseconds. */
  get wellStartedMs(): number {
    return Math.max(WELL_STARTED_MS, this.#last);
  }

  /**
   * The pause after a death, in milliseconds.
   *
   * @param ranMs - how long the process has run
   */
  after(ranMs: number): number {
    if (ranMs >= this.wellStartedMs) this.#deaths = 0;
    const bound = this.#deaths === 0 ? 0 : Math.min(LONGEST_MS, FIRST_MS * 2 ** (this.#deaths - 1));
    this.#deaths++;
    // Half of it is drawn, so that processes that died together do not come back together.
    this.#last = bound / 2 + (bound / 2) * this.#random();
    return this.#last;
  }
}
