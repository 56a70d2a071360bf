import type { MqttClient } from "mqtt";
import type { Link, ServerLimits } from "./server-protocol.ts";

/** A connection as the protocol sees it. */
export class BrokerLink implements Link {
  readonly #client: MqttClient;
  readonly #ended = new AbortController();
  limits: ServerLimits = {};

  constructor(client: MqttClient) {
    this.#client = client;
    client.once("close", () => this.end(new Error("The connection to the broker is lost")));
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  keepTo(limits: ServerLimits): void {
    this.limits = limits;
  }

  async publish(topic: string, payload: string | Buffer): Promise<void> {
    const { signal } = this;
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // MQTT.js forgets the callbacks of a persistent session's connection when that ends.
    const ended = () => reject(signal.reason);
    signal.addEventListener("abort", ended, { once: true });
    this.#client.publish(topic, payload, { qos: 1 }, (error) => {
      signal.removeEventListener("abort", ended);
      if (error) reject(error);
      else resolve();
    });
    await promise;
  }

  end(reason: Error): void {
    this.#ended.abort(reason);
  }
}
