/** Counts against the server's limits such as `200:1,6000:60`: at most so many in any span of so many seconds. */
export class RateLimit {
  readonly #rates: { count: number; ms: number }[];
  readonly #taken: { at: number; amount: number }[] = [];

  constructor(rates = "") {
    this.#rates = rates
      .split(",")
      .filter((part) => part !== "")
      .map((part) => {
        const [count = 0, seconds = 0] = part.split(":").map(Number);
        return { count, ms: seconds * 1_000 };
      });
  }

  /** Whether so much more is too much. */
  isBrokenBy(amount: number): boolean {
    const now = performance.now();
    this.#taken.push({ at: now, amount });
    const since = (ms: number) =>
      this.#taken.filter(({ at }) => at > now - ms).reduce((sum, taken) => sum + taken.amount, 0);
    return this.#rates.some(({ count, ms }) => since(ms) > count);
  }
}
