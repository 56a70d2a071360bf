import type { Consumer, Settlement } from "../queue/consumer.ts";
import type { ForwarderLog } from "./forwarder-log.ts";

/** A queue that cannot be written to (a full disk) is tried again after this time, in milliseconds. */
const AGAIN_MS = 5_000;

/** Takes out of the queue what is done with. */
export class Settling implements Disposable {
  readonly #consumer: Consumer;
  readonly #logger: ForwarderLog;
  #acknowledged: number[] = [];
  #scheduled: NodeJS.Immediate | undefined;
  /** While the queue cannot be written to. */
  #again: NodeJS.Timeout | undefined;
  /** Told when acknowledged messages have left the queue, or will as soon as it can be written to. */
  onSettled: () => void = () => undefined;

  constructor(consumer: Consumer, logger: ForwarderLog) {
    this.#consumer = consumer;
    this.#logger = logger;
  }

  /** How many acknowledged messages have not been settled yet. */
  get waiting(): number {
    return this.#acknowledged.length;
  }

  /**
   * Acknowledgements that come in together leave the queue in one transaction, for each costs as much as a publish. None
   * waits for others to come: a broker that leaves it to TCP when to send (Nagle) sends those only once it hears from us.
   */
  acknowledged(identifiers: readonly number[]): void {
    this.#acknowledged.push(...identifiers);
    this.#scheduled ??= setImmediate(() => this.settleAcknowledged());
  }

  /** Settles what is acknowledged, without waiting for more that comes in at the same time. */
  settleAcknowledged(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    const removed = this.#acknowledged;
    this.#acknowledged = [];
    if (removed.length === 0) return;
    this.settle({ removed });
    this.onSettled();
  }

  /** A queue that cannot be written to must not end the delivery: it would only send the same messages again. */
  settle(settlement: Settlement): void {
    if (this.#again !== undefined) {
      this.#consumer.defer(settlement);
      return;
    }
    try {
      this.#consumer.settle(settlement);
    } catch (error) {
      // Once: what is told is sent as well, acknowledged, and cannot be settled either.
      this.#logger.error("The queue cannot be written to; tried again until it can", String(error));
      this.#again = setInterval(() => this.#tryAgain(), AGAIN_MS);
    }
  }

  /** What cannot be settled even now is sent once more. */
  [Symbol.dispose](): void {
    this.settleAcknowledged();
    if (this.#again !== undefined) this.#tryAgain();
    clearInterval(this.#again);
  }

  #tryAgain(): void {
    try {
      this.#consumer.settle({ removed: [] });
    } catch {
      return;
    }
    clearInterval(this.#again);
    this.#again = undefined;
    this.#logger.info("The queue can be written to again");
  }
}
