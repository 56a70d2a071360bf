import { addAbortListener } from "node:events";
import { connect, type IClientOptions, type MqttClient } from "mqtt";
import type { BrokerConnection } from "./broker.ts";
import { Connection } from "./connection.ts";
import { explainFailure } from "./explain-failure.ts";
import { takeMessages } from "./incoming.ts";
import type { Timeouts } from "./timeouts.ts";

/** Takes what the broker sends; it is acknowledged once this has ended. Must not reject. */
export type Receive = (topic: string, payload: Buffer, connection: Connection) => Promise<void>;

export interface ConnectOptions {
  /** The broker forgets us when the connection ends; otherwise it keeps what is published while the node is away. */
  cleanSession: boolean;
  receive: Receive;
  timeouts: Timeouts;
  /** Gives up. */
  signal: AbortSignal;
}

/**
 * Connects once.
 *
 * @throws ConnectionRefusedError where the broker does not want us
 * @throws CertificateError where a certificate is wrong, the broker's or ours
 * @throws BrokerUnreachableError where there is no broker
 */
export async function connectToBroker(
  broker: BrokerConnection,
  { cleanSession, receive, timeouts, signal }: ConnectOptions,
): Promise<Connection> {
  signal.throwIfAborted();
  const client = open(broker, { ...clientOptions(broker, timeouts), clean: cleanSession });
  const connection = new Connection(client, timeouts.acknowledgementMs);
  takeMessages(client, (topic, payload) => receive(topic, payload, connection));
  using _abort = addAbortListener(signal, () => connection.end(signal.reason));
  try {
    await connected(connection);
    return connection;
  } catch {
    await connection[Symbol.asyncDispose]();
    signal.throwIfAborted();
    throw explainFailure(connection.ended.reason.cause, broker);
  }
}

function connected({ client, ended }: Connection): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  client.once("connect", () => resolve());
  ended.addEventListener("abort", () => reject(ended.reason), { once: true });
  return promise;
}

/** Certificates and keys are read before anything is sent. */
function open(broker: BrokerConnection, options: IClientOptions): MqttClient {
  try {
    return connect(options);
  } catch (error) {
    throw explainFailure(error as Error, broker);
  }
}

function clientOptions(
  { host, port, clientId, username, password, tls }: BrokerConnection,
  { connectMs, keepAliveMs }: Timeouts,
): IClientOptions {
  return {
    protocol: tls === undefined ? "mqtt" : "mqtts",
    host,
    port,
    clientId,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...tls,
    protocolVersion: 4,
    keepalive: Math.ceil(keepAliveMs / 1_000),
    connectTimeout: connectMs,
    // One client is one connection: what was in flight goes back to the queue, and the next client starts afresh.
    reconnectPeriod: 0,
    // Buffers for all 65,536 packet identifiers, made in advance: 9 MB to save a microsecond a packet.
    writeCache: false,
    // What it would say of every packet, and format first, is for nobody.
    log: () => undefined,
    resubscribe: false,
  };
}
