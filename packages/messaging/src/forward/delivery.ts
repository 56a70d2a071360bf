import type { Consumer } from "../queue/consumer.ts";
import type { Connection } from "./connection.ts";
import { ConnectionLostError } from "./connection-error.ts";
import type { LinkEvent } from "./forward-options.ts";
import type { ForwarderLog } from "./forwarder-log.ts";
import { mapSafely } from "./map-safely.ts";
import type { Once } from "./once.ts";
import { Pace } from "./pace.ts";
import type { Quarantine } from "./quarantine.ts";
import { Selection } from "./selection.ts";
import type { Mapping, Publish, Refusal, ServerProtocol } from "./server-protocol.ts";
import type { Settling } from "./settling.ts";

/** After the end, acknowledgements that are on their way may still come in, in milliseconds. */
const LAST_ACKNOWLEDGEMENTS_MS = 1_000;

const DEFAULT_BATCH = 50;

export interface DeliveryOptions<Body> {
  connection: Connection;
  consumer: Consumer;
  protocol: ServerProtocol<Body>;
  maxParallelMessages: number;
  batchSize?: number;
  backlogRate?: number;
  logger: ForwarderLog;
  quarantine: Quarantine;
  settling: Settling;
  /** Reasons of refusals that have been told. */
  told: Once;
  onLink?: (event: LinkEvent, messages?: number) => void;
}

/** The delivery of messages over one connection. */
export class Delivery<Body> implements Disposable {
  readonly #options: DeliveryOptions<Body>;
  readonly #batchSize: number;
  readonly #selection: Selection<Body>;
  readonly #ended = Promise.withResolvers<void>();
  readonly #left = new AbortController();
  readonly #begin = performance.now();
  /** Handed to the publisher and not acknowledged. */
  #messagesUnderWay = 0;
  #hasCarried = false;
  #draining = false;
  #closed = false;
  #wake: NodeJS.Timeout | undefined;

  constructor(options: DeliveryOptions<Body>) {
    this.#options = options;
    const { connection, consumer, quarantine, settling } = options;
    this.#batchSize = Math.min(options.batchSize ?? DEFAULT_BATCH, options.maxParallelMessages);
    this.#selection = new Selection(consumer, quarantine, backlogPace(options.backlogRate, this.#batchSize));
    settling.onSettled = () => this.pump();
    connection.publisher.onFree = () => this.pump();
    this.#when(connection.ended, () => this.#connectionEnded(connection.ended.reason));
    this.#ended.promise.catch(() => undefined);
  }

  /** Whether a message has been acknowledged. */
  get hasCarried(): boolean {
    return this.#hasCarried;
  }

  /** To be called when the log has grown; `created` tells that it may have a new file. Must not throw: nobody would catch it. */
  logChanged(created: boolean): void {
    try {
      if (created) this.#options.consumer.filesChanged();
    } catch (error) {
      this.#end(error as Error);
    }
    this.pump();
  }

  /** Sends what there is, as far as may be under way at once. */
  pump(): void {
    if (this.#closed) return;
    clearTimeout(this.#wake);
    try {
      const waitMs = this.#sendAll();
      if (waitMs !== undefined) this.#wake = setTimeout(() => this.pump(), Math.ceil(waitMs));
      else if (this.#draining && this.#unsettled === 0) this.#ended.resolve();
    } catch (error) {
      this.#end(error as Error);
    }
  }

  /**
   * Goes on until everything is sent after the teardown has begun, or until the deadline.
   *
   * @throws ConnectionLostError when the connection has ended
   */
  async run(teardown: AbortSignal, deadline: AbortSignal): Promise<void> {
    this.#when(teardown, () => {
      this.#draining = true;
      this.pump();
    });
    this.#when(deadline, () => {
      this.#closed = true;
      this.#options.connection.publisher.stop();
      const ms = this.#messagesUnderWay > 0 ? LAST_ACKNOWLEDGEMENTS_MS : 0;
      this.#wake = setTimeout(() => this.#ended.resolve(), ms);
    });
    this.pump();
    await this.#ended.promise;
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#left.abort();
    clearTimeout(this.#wake);
    this.#options.settling.settleAcknowledged();
  }

  /** What a cut would repeat: messages that are not acknowledged, or not settled yet. */
  get #unsettled(): number {
    return this.#messagesUnderWay + this.#options.settling.waiting;
  }

  /** Milliseconds until there is more to send, if only time has to pass for that. */
  #sendAll(): number | undefined {
    const { connection, maxParallelMessages, protocol } = this.#options;
    while (!connection.publisher.holdsBack) {
      const room = Math.min(this.#batchSize, maxParallelMessages - this.#unsettled);
      if (room <= 0) break;
      const messages = this.#selection.next(room, {
        stoodMs: performance.now() - this.#begin,
        idle: this.#messagesUnderWay === 0,
        hasCarried: this.#hasCarried,
      });
      if (messages.length === 0) return this.#selection.waitMs;
      this.#send(mapSafely(protocol, messages));
    }
    return undefined;
  }

  #send({ publishes, settled, refused }: Mapping): void {
    for (const publish of publishes) this.#publish(publish);
    const sent = new Set(publishes.flatMap(({ identifiers }) => identifiers));
    const whole = refused
      .filter(({ identifier }) => !sent.has(identifier))
      .map(({ identifier }) => identifier);
    if (settled.length + refused.length > 0) this.#settle([...settled, ...whole], refused);
  }

  #publish(publish: Publish): void {
    const { connection, quarantine, settling, onLink } = this.#options;
    const { identifiers } = publish;
    this.#messagesUnderWay += identifiers.length;
    connection.publisher.send({
      ...publish,
      acknowledged: () => {
        this.#messagesUnderWay -= identifiers.length;
        this.#hasCarried = true;
        onLink?.("acknowledged", identifiers.length);
        quarantine.acknowledged(identifiers);
        settling.acknowledged(identifiers);
      },
    });
  }

  #settle(removed: readonly number[], dead: readonly Refusal[]): void {
    const { logger, settling, told } = this.#options;
    settling.settle({ removed, dead });
    for (const { reason } of dead) {
      if (told.isNew(reason))
        logger.warning("A message was set aside; others for the same reason are only counted", reason);
    }
  }

  #connectionEnded(reason: Error): void {
    const { connection, quarantine } = this.#options;
    this.#end(reason);
    if (!(reason instanceof ConnectionLostError)) return;
    const { underWay, lastSentAt } = connection.publisher;
    const identifiers = [...new Set([...underWay].flatMap((publish) => publish.identifiers))];
    const condemned = quarantine.connectionLost(reason, {
      identifiers,
      besides: [...underWay].some((publish) => publish.identifiers.length === 0),
      sentAgoMs: performance.now() - lastSentAt,
      hasCarried: this.#hasCarried,
    });
    if (condemned !== undefined) this.#settle([condemned.identifier], [condemned]);
  }

  #end(error: Error): void {
    this.#closed = true;
    this.#ended.reject(error);
  }

  /** Does something when a signal aborts, unless this delivery has ended before. */
  #when(signal: AbortSignal, work: () => void): void {
    if (signal.aborted) work();
    else signal.addEventListener("abort", work, { once: true, signal: this.#left.signal });
  }
}

/** Of the backlog, in full batches. */
function backlogPace(rate: number | undefined, batchSize: number): Pace | undefined {
  if (rate === undefined) return undefined;
  const count = Math.max(1, Math.min(batchSize, Math.floor(rate)));
  return new Pace({ count, seconds: count / rate });
}
