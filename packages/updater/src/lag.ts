/** Over so many looks, so that one wait for a slow SD card condemns nobody. */
const LOOKS = 10;

/** How late the event loop of the main process comes to what is to be done, on average over the last looks. */
export class Lag {
  readonly #late: number[] = [];

  /** @param lateMs - how late the last look came, in milliseconds */
  note(lateMs: number): void {
    this.#late.push(Math.max(0, lateMs));
    if (this.#late.length > LOOKS) this.#late.shift();
  }

  /** In milliseconds; 0 where nobody has looked yet. */
  get meanMs(): number {
    return this.#late.reduce((sum, ms) => sum + ms, 0) / Math.max(1, this.#late.length);
  }
}
