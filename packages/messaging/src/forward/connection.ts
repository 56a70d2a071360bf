import { Socket } from "node:net";
import type { MqttClient } from "mqtt";
import { checkPublish } from "./check-mapping.ts";
import { ConnectionLostError } from "./connection-error.ts";
import { explainLoss } from "./explain-failure.ts";
import { Publisher } from "./publisher.ts";
import type { Link } from "./server-protocol.ts";

/** How long a broker may take to close the connection after our DISCONNECT, in milliseconds. */
const DISCONNECT_TIMEOUT_MS = 1_000;

/** One connection to a broker, from the first attempt to its end. */
export class Connection implements AsyncDisposable {
  readonly client: MqttClient;
  readonly publisher: Publisher;
  /** The connection as the protocol sees it. */
  readonly link: Link;
  readonly #ended = new AbortController();

  constructor(client: MqttClient, acknowledgementMs: number) {
    this.client = client;
    const reason = `the broker has not acknowledged for ${acknowledgementMs / 1_000} s`;
    this.publisher = new Publisher({
      client,
      acknowledgementMs,
      overdue: () => this.end(new ConnectionLostError(reason, { byOtherSide: false })),
    });
    this.link = {
      signal: this.ended,
      keepTo: (limits) => this.publisher.keepTo(limits),
      publish: (topic, payload) => this.#publish(topic, payload),
    };
    // Small packets wait for nobody: a publish would be held back until the one before it is acknowledged.
    if (client.stream instanceof Socket) client.stream.setNoDelay();
    let failure: Error | undefined;
    client.on("error", (error) => {
      failure ??= error;
      // Some errors MQTT.js only tells of: a packet that makes no sense, for example.
      client.stream.destroy();
    });
    client.once("close", () => this.end(explainLoss(failure)));
  }

  /** Aborted, with the reason, when the connection has ended or is given up. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** Gives the connection up. */
  end(reason: Error): void {
    this.publisher[Symbol.dispose]();
    this.#ended.abort(reason);
  }

  /**
   * Ends it, with a DISCONNECT where nothing is under way. Resolves once it is closed: whoever connects under our name
   * after that does not meet us.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    const { client, publisher } = this;
    this.end(new ConnectionLostError("it is no longer needed", { byOtherSide: false }));
    if (client.stream.closed) return;
    // Whatever ends it now, a reset too.
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    client.stream.once("close", () => resolve());
    const impatience = setTimeout(() => client.stream.destroy(), DISCONNECT_TIMEOUT_MS);
    try {
      client.end(publisher.underWay.size > 0 || !client.connected);
      await closed;
    } finally {
      clearTimeout(impatience);
    }
  }

  async #publish(topic: string, payload: string | Buffer): Promise<void> {
    checkPublish({ topic, payload });
    const { ended } = this;
    ended.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const lost = () => reject(ended.reason);
    ended.addEventListener("abort", lost, { once: true });
    this.publisher.sendBeside({ topic, payload, identifiers: [], acknowledged: resolve });
    await promise;
    ended.removeEventListener("abort", lost);
  }
}
