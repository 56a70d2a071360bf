import type { MqttClient } from "mqtt";
import { Pace } from "./pace.ts";
import type { Publish, Rate, ServerLimits } from "./server-protocol.ts";

/** A publish, and what follows its acknowledgement. */
export interface Outgoing extends Publish {
  acknowledged(): void;
}

export interface PublisherOptions {
  client: MqttClient;
  /** Told when the oldest publish has waited this long for its acknowledgement, in milliseconds. */
  acknowledgementMs: number;
  overdue(): void;
}

/**
 * Sends everything that is published on one connection, with QoS 1 and in its order: at once, or as soon as the
 * server's limits allow it.
 */
export class Publisher implements Disposable {
  readonly #options: PublisherOptions;
  /** Sent and not acknowledged, oldest first. */
  readonly #underWay = new Set<Outgoing>();
  /** Held back by the limits. What is beside the queue goes first: somebody waits for the answer. */
  readonly #beside: Outgoing[] = [];
  readonly #ofQueue: Outgoing[] = [];
  #limits: ServerLimits = {};
  #publishes: Pace[] = [];
  #dataPoints: Pace[] = [];
  /** When the oldest publish under way became the oldest, on the monotonic clock. */
  #oldestSince = 0;
  #lastSentAt = Number.NEGATIVE_INFINITY;
  #retry: NodeJS.Timeout | undefined;
  #watch: NodeJS.Timeout | undefined;
  #sending = true;
  /** Told when nothing of the queue is held back any longer. */
  onFree: () => void = () => undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  get underWay(): ReadonlySet<Outgoing> {
    return this.#underWay;
  }

  /** Whether something of the queue is held back, so that there is no use in handing over more. */
  get holdsBack(): boolean {
    return this.#ofQueue.length > 0;
  }

  /** When something was sent last, on the monotonic clock. */
  get lastSentAt(): number {
    return this.#lastSentAt;
  }

  keepTo(limits: ServerLimits): void {
    const paces = (rates: readonly Rate[] = []) => rates.map((rate) => new Pace(rate));
    this.#limits = limits;
    this.#publishes = paces(limits.publishes);
    this.#dataPoints = paces(limits.dataPoints);
    this.#resume();
  }

  send(outgoing: Outgoing): void {
    this.#ofQueue.push(outgoing);
    this.#flush();
  }

  sendBeside(outgoing: Outgoing): void {
    this.#beside.push(outgoing);
    this.#flush();
  }

  /** Sends no more; what is under way can still be acknowledged. */
  stop(): void {
    this.#sending = false;
    clearTimeout(this.#retry);
  }

  [Symbol.dispose](): void {
    this.stop();
    clearTimeout(this.#watch);
  }

  /** Goes on with what was held back. */
  #resume(): void {
    if (!this.#sending || this.#beside.length + this.#ofQueue.length === 0) return;
    const heldBack = this.holdsBack;
    this.#flush();
    if (heldBack && !this.holdsBack) this.onFree();
  }

  #flush(): void {
    clearTimeout(this.#retry);
    while (this.#sending) {
      const line = this.#beside.length > 0 ? this.#beside : this.#ofQueue;
      const [next] = line;
      if (next === undefined) return;
      const wait = this.#waitFor(next);
      // Without a time, it is an acknowledgement that goes on.
      if (wait > 0 && wait < Number.POSITIVE_INFINITY)
        this.#retry = setTimeout(() => this.#resume(), Math.ceil(wait));
      if (wait > 0) return;
      line.shift();
      this.#publish(next);
    }
  }

  /** Milliseconds until the limits allow a publish; infinite if that takes an acknowledgement. */
  #waitFor({ dataPoints = 0 }: Outgoing): number {
    if (this.#underWay.size >= (this.#limits.publishesUnderWay ?? Number.POSITIVE_INFINITY))
      return Number.POSITIVE_INFINITY;
    if (this.#publishes.length + this.#dataPoints.length === 0) return 0;
    const waits = [
      ...this.#publishes.map((pace) => pace.waitFor(1)),
      ...this.#dataPoints.map((pace) => pace.waitFor(dataPoints)),
    ];
    return Math.max(0, ...waits);
  }

  #publish(outgoing: Outgoing): void {
    for (const pace of this.#publishes) pace.take(1);
    for (const pace of this.#dataPoints) pace.take(outgoing.dataPoints ?? 0);
    this.#lastSentAt = performance.now();
    if (this.#underWay.size === 0) this.#oldestSince = this.#lastSentAt;
    this.#underWay.add(outgoing);
    this.#watch ??= this.#watchOldest(this.#options.acknowledgementMs);
    this.#options.client.publish(outgoing.topic, outgoing.payload, { qos: 1 }, (error) => {
      // When the connection ends, MQTT.js calls back with an error, or never; what it would not send is never handed over.
      if (!error) this.#acknowledge(outgoing);
    });
  }

  #acknowledge(outgoing: Outgoing): void {
    const [oldest] = this.#underWay;
    if (oldest === outgoing) this.#oldestSince = performance.now();
    this.#underWay.delete(outgoing);
    outgoing.acknowledged();
    this.#resume();
  }

  /** Looks after the oldest publish. Those behind it wait their turn: a slow link alone makes none overdue. */
  #watchOldest(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#watch = undefined;
      if (this.#underWay.size === 0) return;
      const left = this.#oldestSince + this.#options.acknowledgementMs - performance.now();
      if (left > 0) this.#watch = this.#watchOldest(left);
      else this.#options.overdue();
    }, ms);
  }
}
