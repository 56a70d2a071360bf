/** Lets one loop wait for notifications. One that comes while the loop is busy is kept for the next wait. */
export class WakeUp {
  #next = Promise.withResolvers<void>();

  notify(): void {
    this.#next.resolve();
  }

  async wait(): Promise<void> {
    await this.#next.promise;
    this.#next = Promise.withResolvers<void>();
  }
}
