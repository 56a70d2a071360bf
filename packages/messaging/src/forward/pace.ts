import type { Rate } from "./server-protocol.ts";

/** What is taken within this part of the period is remembered as one, so that memory stays small at any rate. */
const GRAIN = 1 / 100;

interface Taken {
  first: number;
  last: number;
  amount: number;
}

/** Keeps to a rate: in no span of its seconds, wherever that begins, is more taken than its count. */
export class Pace {
  readonly #count: number;
  readonly #periodMs: number;
  readonly #now: () => number;
  /** What was taken within the last period, oldest first. */
  readonly #taken: Taken[] = [];
  #sum = 0;

  /** @param now - a clock that never jumps, in milliseconds */
  constructor({ count, seconds }: Rate, now: () => number = () => performance.now()) {
    this.#count = count;
    this.#periodMs = seconds * 1_000;
    this.#now = now;
  }

  /** How much may be taken now. */
  get available(): number {
    this.#forget();
    return Math.max(0, this.#count - this.#sum);
  }

  /** Milliseconds until so much may be taken. What is more than the whole count may be once nothing else counts. */
  waitFor(amount: number): number {
    this.#forget();
    let excess = this.#sum + Math.min(amount, this.#count) - this.#count;
    let until = this.#now();
    for (const taken of this.#taken) {
      if (excess <= 0) break;
      excess -= taken.amount;
      until = taken.last + this.#periodMs;
    }
    return until - this.#now();
  }

  take(amount: number): void {
    if (amount === 0) return;
    const now = this.#now();
    const newest = this.#taken.at(-1);
    if (newest !== undefined && now - newest.first < this.#periodMs * GRAIN) {
      newest.last = now;
      newest.amount += amount;
    } else this.#taken.push({ first: now, last: now, amount });
    this.#sum += amount;
  }

  #forget(): void {
    const end = this.#now() - this.#periodMs;
    for (let oldest = this.#taken[0]; oldest !== undefined && oldest.last <= end; oldest = this.#taken[0]) {
      this.#sum -= oldest.amount;
      this.#taken.shift();
    }
  }
}
