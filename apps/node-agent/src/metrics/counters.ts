import type { MessageCounts } from "@ivy/lifecycle";

const NONE: MessageCounts = { stored: 0, storedBytes: 0, acknowledged: 0 };

/** Adds up what processes count, each from its own beginning, to counts that only ever grow. */
export class Counters {
  #total = NONE;
  /** Forgets those who are no more. */
  readonly #last = new WeakMap<object, MessageCounts>();

  /** @param who - has counted so far; another object stands for one that has begun anew */
  take(who: object, counts: MessageCounts): void {
    const last = this.#last.get(who) ?? NONE;
    this.#last.set(who, counts);
    this.#total = combined(this.#total, combined(counts, last, -1));
  }

  get total(): MessageCounts {
    return this.#total;
  }
}

function combined(a: MessageCounts, b: MessageCounts, factor = 1): MessageCounts {
  return {
    stored: a.stored + factor * b.stored,
    storedBytes: a.storedBytes + factor * b.storedBytes,
    acknowledged: a.acknowledged + factor * b.acknowledged,
  };
}
