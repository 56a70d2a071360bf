/** Whether a loop still comes round. Each time it says within which time it will again. */
export class Pulse {
  #due = Number.POSITIVE_INFINITY;

  /** @param withinMs - in milliseconds */
  beat(withinMs: number): void {
    this.#due = performance.now() + withinMs;
  }

  get isOverdue(): boolean {
    return performance.now() > this.#due;
  }
}
