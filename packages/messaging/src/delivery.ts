import type { MessageQueueItem } from "@ivy/types";
import type { MqttClient } from "mqtt";
import { disconnect } from "./broker-connection.ts";
import type { Consumer } from "./consumer.ts";
import { toItem } from "./messaging-agent.ts";
import type { Mapping, Publish, Refusal, ServerProtocol } from "./server-protocol.ts";

/** What the forwarder tells people. */
export interface ForwarderLog {
  debug(message: string, details?: string): void;
  info(message: string, details?: string): void;
  warning(message: string, details?: string): void;
  error(message: string, details?: string): void;
}

/** A broker that has not acknowledged within this time will not: the connection is given up, in milliseconds. */
const ACKNOWLEDGEMENT_TIMEOUT_MS = 30_000;

/** After the end, acknowledgements that are on their way may still come in, in milliseconds. */
const LAST_ACKNOWLEDGEMENTS_MS = 1_000;

/** A queue that cannot be written to (a full disk) is tried again after this time, in milliseconds. */
const SETTLE_AGAIN_MS = 5_000;

const DEFAULT_BATCH = 50;

export interface DeliveryOptions<Body> {
  client: MqttClient;
  consumer: Consumer;
  protocol: ServerProtocol<Body>;
  maxParallelMessages: number;
  batchSize?: number;
  logger: ForwarderLog;
}

/** The delivery of messages over one connection, which ends with it. */
export class Delivery<Body> implements AsyncDisposable {
  readonly #options: DeliveryOptions<Body>;
  readonly #ended = Promise.withResolvers<void>();
  /** Publishes on their way, with the time at which they were sent on the monotonic clock, oldest first. */
  readonly #underWay = new Map<Publish, number>();
  #messagesUnderWay = 0;
  /** Acknowledged, and not yet taken out of the queue. */
  readonly #acknowledged: number[] = [];
  #settling = false;
  /** A timer looks after the oldest publish under way. */
  #watching = false;
  #draining = false;
  #closed = false;
  readonly #reasonsLogged = new Set<string>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #left = new AbortController();

  constructor(options: DeliveryOptions<Body>) {
    this.#options = options;
    this.#ended.promise.catch(() => undefined);
    options.client.on("close", () => this.#fail(new Error("The connection to the broker is lost")));
  }

  /** Sends what there is, as far as may be under way at once. */
  pump(): void {
    if (this.#closed) return;
    const { consumer, maxParallelMessages, batchSize = DEFAULT_BATCH } = this.#options;
    for (;;) {
      const room = Math.min(batchSize, maxParallelMessages - this.#messagesUnderWay);
      const messages = room > 0 ? consumer.take(room) : [];
      if (messages.length === 0) break;
      this.#send(this.#map(messages.map(toItem<Body>)));
    }
    if (this.#draining && this.#underWay.size === 0 && !this.#settling) this.#ended.resolve();
  }

  /**
   * Goes on until everything is sent after the teardown has begun, or until the deadline.
   *
   * @throws Error when the connection is lost
   */
  async run(teardown: AbortSignal, deadline: AbortSignal): Promise<void> {
    const drain = () => {
      this.#draining = true;
      this.pump();
    };
    const stop = () =>
      this.#later(() => this.#ended.resolve(), this.#underWay.size > 0 ? LAST_ACKNOWLEDGEMENTS_MS : 0);
    this.#when(teardown, drain);
    this.#when(deadline, () => {
      this.#closed = true;
      stop();
    });
    await this.#ended.promise;
  }

  /** Resolves once the connection has ended: whoever connects with our name after that does not meet us. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#left.abort();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#settle();
    const { client } = this.#options;
    client.removeAllListeners("close");
    await disconnect(client, this.#underWay.size > 0);
  }

  /** A message that breaks the protocol's own code is refused, alone; the others go on. */
  #map(messages: readonly MessageQueueItem<Body>[]): Mapping {
    try {
      return this.#options.protocol.map(messages);
    } catch (error) {
      const [only, ...others] = messages;
      if (only === undefined || others.length > 0)
        return merge(messages.map((message) => this.#map([message])));
      const reason = `it cannot be mapped: ${(error as Error).message}`;
      return { publishes: [], settled: [], refused: [{ identifier: only.identifier, reason }] };
    }
  }

  #send({ publishes, settled, refused }: Mapping): void {
    for (const publish of publishes) this.#publish(publish);
    const sent = new Set(publishes.flatMap(({ identifiers }) => identifiers));
    const whole = refused
      .filter(({ identifier }) => !sent.has(identifier))
      .map(({ identifier }) => identifier);
    if (refused.length > 0) this.#logRefusals(refused);
    if (settled.length + refused.length === 0) return;
    this.#attempt(() => this.#options.consumer.settle({ removed: [...settled, ...whole], dead: refused }));
  }

  #publish(publish: Publish): void {
    this.#underWay.set(publish, performance.now());
    this.#messagesUnderWay += publish.identifiers.length;
    if (!this.#watching) this.#watchAcknowledgements(ACKNOWLEDGEMENT_TIMEOUT_MS);
    this.#options.client.publish(publish.topic, publish.payload, { qos: 1 }, (error) => {
      if (this.#underWay.delete(publish) && !error) this.#acknowledge(publish);
    });
  }

  #acknowledge({ identifiers }: Publish): void {
    this.#messagesUnderWay -= identifiers.length;
    this.#acknowledged.push(...identifiers);
    if (this.#settling) return;
    this.#settling = true;
    // Acknowledgements that came in together leave the queue in one transaction.
    setImmediate(() => {
      this.#settling = false;
      this.#settle();
      this.pump();
    });
  }

  #settle(): void {
    const removed = this.#acknowledged.splice(0);
    if (removed.length > 0) this.#attempt(() => this.#options.consumer.settle({ removed }));
  }

  /** A queue that cannot be written to must not end the delivery: it would only send the same messages again. */
  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#options.logger.error("The queue cannot be written to; tried again soon", String(error));
      this.#later(() => this.#attempt(work), SETTLE_AGAIN_MS);
    }
  }

  #logRefusals(refused: readonly Refusal[]): void {
    for (const { reason } of refused) {
      if (this.#reasonsLogged.has(reason)) continue;
      this.#reasonsLogged.add(reason);
      this.#options.logger.warning(
        "A message was set aside; others for the same reason are only counted",
        reason,
      );
    }
  }

  #watchAcknowledgements(ms: number): void {
    this.#watching = true;
    this.#later(() => {
      this.#watching = false;
      const [oldest] = this.#underWay.values();
      if (oldest === undefined) return;
      const left = oldest + ACKNOWLEDGEMENT_TIMEOUT_MS - performance.now();
      if (left > 0) this.#watchAcknowledgements(left);
      else
        this.#fail(new Error(`The broker has not acknowledged for ${ACKNOWLEDGEMENT_TIMEOUT_MS / 1_000} s`));
    }, ms);
  }

  #later(work: () => void, ms: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
  }

  /** Does something when a signal aborts, unless this delivery has ended before. */
  #when(signal: AbortSignal, work: () => void): void {
    if (signal.aborted) work();
    else signal.addEventListener("abort", work, { once: true, signal: this.#left.signal });
  }

  #fail(error: Error): void {
    this.#closed = true;
    this.#ended.reject(error);
  }
}

function merge(mappings: readonly Mapping[]): Mapping {
  return {
    publishes: mappings.flatMap(({ publishes }) => publishes),
    settled: mappings.flatMap(({ settled }) => settled),
    refused: mappings.flatMap(({ refused }) => refused),
  };
}
