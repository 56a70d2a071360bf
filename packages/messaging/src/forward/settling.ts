import type { Consumer, Settlement } from "../queue/consumer.ts";

/** A queue that cannot be written to (a full disk) is tried again after this time, in milliseconds. */
const AGAIN_MS = 5_000;

/** Takes out of the queue what is done with. */
export class Settling implements Disposable {
  readonly #consumer: Consumer;
  readonly #failed: (error: unknown) => void;
  readonly #settled: () => void;
  #acknowledged: number[] = [];
  #scheduled: NodeJS.Immediate | undefined;
  readonly #again = new Set<NodeJS.Timeout>();

  /**
   * @param settled - told when acknowledged messages have left the queue
   * @param failed - told of a settlement that has to wait
   */
  constructor(consumer: Consumer, settled: () => void, failed: (error: unknown) => void) {
    this.#consumer = consumer;
    this.#settled = settled;
    this.#failed = failed;
  }

  /** How many acknowledged messages have not left the queue yet, apart from those for which that has failed before. */
  get waiting(): number {
    return this.#acknowledged.length;
  }

  /**
   * Acknowledgements that come in together leave the queue in one transaction, for each costs as much as a publish. None
   * waits for others to come: a broker that leaves it to TCP when to send (Nagle) sends those only once it hears from us.
   */
  acknowledged(identifiers: readonly number[]): void {
    this.#acknowledged.push(...identifiers);
    this.#scheduled ??= setImmediate(() => this.#settleAcknowledged());
  }

  /** A queue that cannot be written to must not end the delivery: it would only send the same messages again. */
  settle(settlement: Settlement): void {
    try {
      this.#consumer.settle(settlement);
    } catch (error) {
      this.#failed(error);
      const timer = setTimeout(() => {
        this.#again.delete(timer);
        this.settle(settlement);
      }, AGAIN_MS);
      this.#again.add(timer);
    }
  }

  /** What could not be settled is sent once more. */
  [Symbol.dispose](): void {
    this.#settleAcknowledged();
    for (const timer of this.#again) clearTimeout(timer);
  }

  #settleAcknowledged(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    const removed = this.#acknowledged;
    this.#acknowledged = [];
    if (removed.length === 0) return;
    this.settle({ removed });
    this.#settled();
  }
}
