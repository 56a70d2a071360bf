import type { MessageCounts } from "@ivy/lifecycle";

const NONE: MessageCounts = { stored: 0, storedBytes: 0, acknowledged: 0 };

/** Adds up what processes count, each from its own start, to counts that only ever grow. */
export class Counters {
  #total = NONE;
  readonly #last = new Map<number, MessageCounts>();

  /** @param pid - the process that has counted */
  take(pid: number, counts: MessageCounts): void {
    const before = this.#last.get(pid) ?? NONE;
    // One that has counted less than before has begun anew.
    const last = counts.storedBytes < before.storedBytes ? NONE : before;
    this.#last.set(pid, counts);
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
