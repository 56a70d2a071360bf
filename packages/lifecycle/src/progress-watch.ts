import { PROGRESS_GAP_MS } from "./report-progress.ts";

/** How long a process may be silent before it is taken for hung. */
export interface Patience {
  /** So many of its intervals, from 2 on, ... */
  missedIntervals: number;
  /** ... and at least this long after its next turn was due, in milliseconds. */
  shortestMs: number;
  /** How long it may take to come to its loop, and then for its first turn, in milliseconds. */
  startMs: number;
}

/** What the watch has to know of a turn. */
export interface WatchedTurn {
  turns: number;
  intervalMs: number;
  nextInMs: number;
}

/** A timer that fires this much too late tells that this process or the machine has stood still, in milliseconds. */
const STOOD_STILL_MS = 2_000;

/** Longer timers overflow, in milliseconds. */
const LONGEST_TIMER_MS = 2 ** 30;

/**
 * Notices that a loop does not come round any more. It wakes up about once in the time that it waits, not once a turn.
 *
 * Steps of the wall clock have no say in it, and a suspended machine does not count: the monotonic clock stands still.
 * Where this process itself has stood still, by SIGSTOP or on a paused virtual machine, the wait begins anew.
 */
export class ProgressWatch {
  readonly #patience: Patience;
  readonly #hung: (silentMs: number) => void;
  #lastSeen = 0;
  #waitMs = 0;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires. */
  #due = 0;

  /** @param hung - called once, with how long nothing has come, in milliseconds */
  constructor(patience: Patience, hung: (silentMs: number) => void) {
    this.#patience = patience;
    this.#hung = hung;
  }

  /** The process has been started. */
  begin(): void {
    this.#await(this.#patience.startMs);
  }

  progress({ turns, intervalMs, nextInMs }: WatchedTurn): void {
    // One that was ended already is not watched again.
    if (this.#timer === undefined) return;
    const { missedIntervals, shortestMs, startMs } = this.#patience;
    const shortest = turns === 0 ? Math.max(shortestMs, startMs) : shortestMs;
    this.#await(nextInMs + Math.max((missedIntervals - 1) * intervalMs, shortest) + PROGRESS_GAP_MS);
  }

  /** How long it may still be silent, in milliseconds; less than 0 where it has been for too long. */
  get dueInMs(): number {
    return this.#deadline - performance.now();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #await(ms: number): void {
    this.#lastSeen = performance.now();
    this.#waitMs = ms;
    // A timer that fires too early just looks again.
    if (this.#timer === undefined || this.#deadline < this.#due) this.#lookLater();
  }

  get #deadline(): number {
    return this.#lastSeen + this.#waitMs;
  }

  #lookLater(): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    this.#due = Math.min(this.#deadline, now + LONGEST_TIMER_MS);
    this.#timer = setTimeout(() => this.#look(), Math.max(0, Math.ceil(this.#due - now)));
  }

  #look(): void {
    const now = performance.now();
    if (now - this.#due > STOOD_STILL_MS) this.#lastSeen = now;
    this.#timer = undefined;
    if (now < this.#deadline) this.#lookLater();
    else this.#hung(now - this.#lastSeen);
  }
}
