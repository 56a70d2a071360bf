/** Bounds the memory; whoever was forgotten is new again. */
const MOST = 100;

/** Tells what is new from what was there before. */
export class Once {
  readonly #seen = new Set<string>();

  isNew(text: string): boolean {
    if (this.#seen.has(text)) return false;
    this.#seen.add(text);
    const [oldest] = this.#seen;
    if (this.#seen.size > MOST && oldest !== undefined) this.#seen.delete(oldest);
    return true;
  }

  forget(): void {
    this.#seen.clear();
  }
}
