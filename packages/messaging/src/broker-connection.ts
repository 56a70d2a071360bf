import { once } from "node:events";
import { connect, ErrorWithSubackPacket, type IClientOptions, type MqttClient } from "mqtt";
import { BrokerLink } from "./link.ts";

/** Where the broker is and who we are there. */
export interface BrokerConnection {
  host: string;
  port: number;
  clientId: string;
  username?: string | undefined;
  password?: string | undefined;
  /** Speak TLS; without `ca` the system's authorities are trusted. PEM each. */
  tls?: { ca?: string | Buffer; cert?: string | Buffer; key?: string | Buffer } | undefined;
}

/** The broker has closed the door on purpose: wrong name or password, or not allowed. */
export class ConnectionRefusedError extends Error {
  readonly code = "IVY_BROKER_REFUSED";
  override readonly name = "ConnectionRefusedError";
}

const CONNECT_TIMEOUT_MS = 20_000;
const KEEP_ALIVE_SECONDS = 60;
/** How long a broker may take to close the connection after our DISCONNECT. */
const DISCONNECT_TIMEOUT_MS = 1_000;

/** The broker does not let us subscribe to a topic. */
export class SubscriptionRefusedError extends Error {
  readonly code = "IVY_SUBSCRIPTION_REFUSED";
  override readonly name = "SubscriptionRefusedError";
}

/** CONNACK codes of MQTT 3.1.1 that trying again soon will not change. */
const REFUSALS: Record<number, string> = {
  1: "it does not speak MQTT 3.1.1",
  2: "it does not accept the client id",
  4: "user name or password are wrong",
  5: "this client is not authorised",
};

/** Takes what the broker sends; it is acknowledged once this has ended. Must not reject. */
export type Receive = (topic: string, payload: Buffer, link: BrokerLink) => Promise<void>;

export interface ConnectOptions {
  /** The broker forgets us when the connection ends; otherwise it keeps what is published while the node is away. */
  cleanSession: boolean;
  receive: Receive;
  /** Gives up. */
  signal: AbortSignal;
}

/**
 * Connects once.
 *
 * @throws ConnectionRefusedError where the broker does not want us
 */
export async function connectToBroker(
  broker: BrokerConnection,
  { cleanSession, receive, signal }: ConnectOptions,
): Promise<{ client: MqttClient; link: BrokerLink }> {
  const client = connect({ ...clientOptions(broker), clean: cleanSession });
  const link = new BrokerLink(client);
  takeMessages(client, (topic, payload) => receive(topic, payload, link));
  // Errors after the connection stands show as its close; without a listener they would end the process.
  client.on("error", () => undefined);
  try {
    return await new Promise((resolve, reject) => {
      client.once("connect", () => resolve({ client, link }));
      client.once("error", (error) => reject(explain(error, broker)));
      client.once("close", () => reject(explain(undefined, broker)));
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  } catch (error) {
    client.end(true);
    throw error;
  }
}

/** Stands in for an acknowledgement: MQTT.js then goes on with the next packet and sends none by itself. */
const LATER = new Error("acknowledged later");

/**
 * To be called before the connection stands: what was kept for us comes in the same packet as the broker's welcome.
 *
 * Messages are taken one after another, beside MQTT.js's own work: it handles no packet while it waits for us, so a
 * receiver that waited for the acknowledgement of an answer of its own would wait for ever.
 */
function takeMessages(client: MqttClient, receive: (topic: string, payload: Buffer) => Promise<void>): void {
  let previous = Promise.resolve();
  client.handleMessage = ({ topic, payload, qos, messageId }, next) => {
    previous = previous
      .then(() => receive(topic, payload as Buffer))
      .then(() => {
        if (qos > 0 && messageId !== undefined && client.connected && !client.disconnecting)
          client.stream.write(puback(messageId));
      });
    next(LATER);
  };
}

/** The packet of MQTT 3.1.1 that acknowledges a publish with QoS 1. */
function puback(messageId: number): Buffer {
  return Buffer.from([0x40, 2, messageId >> 8, messageId & 0xff]);
}

/**
 * Subscribes to topics with QoS 1.
 *
 * @throws SubscriptionRefusedError where the broker does not grant one of them
 */
export async function subscribe(client: MqttClient, filters: readonly string[]): Promise<void> {
  for (const filter of filters) {
    try {
      await client.subscribeAsync(filter, { qos: 1 });
    } catch (error) {
      if (!(error instanceof ErrorWithSubackPacket)) throw error;
      const text = `The broker refuses the subscription ${filter}: this client may not read it, or the filter is wrong`;
      throw new SubscriptionRefusedError(text, { cause: error });
    }
  }
}

/**
 * Ends a connection, with a DISCONNECT where nothing is under way. Resolves once it is closed: whoever connects under
 * our name after that does not meet us.
 */
export async function disconnect(client: MqttClient, underWay: boolean): Promise<void> {
  if (client.stream.closed) return;
  const closed = once(client.stream, "close");
  const impatience = setTimeout(() => client.stream.destroy(), DISCONNECT_TIMEOUT_MS);
  client.end(underWay || !client.connected);
  await closed;
  clearTimeout(impatience);
}

function clientOptions({ host, port, clientId, username, password, tls }: BrokerConnection): IClientOptions {
  return {
    protocol: tls === undefined ? "mqtt" : "mqtts",
    host,
    port,
    clientId,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...tls,
    protocolVersion: 4,
    keepalive: KEEP_ALIVE_SECONDS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // One client is one connection: what was in flight goes back to the queue, and the next client starts afresh.
    reconnectPeriod: 0,
    resubscribe: false,
  };
}

function explain(failure: Error | undefined, { host, port }: BrokerConnection): Error {
  const code = failure !== undefined && "code" in failure ? failure.code : undefined;
  const refusal = typeof code === "number" ? REFUSALS[code] : undefined;
  if (refusal !== undefined)
    return new ConnectionRefusedError(`The broker ${host}:${port} refuses us: ${refusal}`);
  const reason = failure?.message || (typeof code === "string" ? code : "the connection was closed");
  return new Error(`The broker ${host}:${port} cannot be reached: ${reason}`, { cause: failure });
}
