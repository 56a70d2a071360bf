import type { MessageBody, MessageQueueItem } from "@ivy/types";

/** One MQTT publish (QoS 1), which carries one or more messages. */
export interface Publish {
  topic: string;
  payload: string | Buffer;
  /** The messages that leave the queue once this publish is acknowledged. */
  identifiers: readonly number[];
  /** Values in it, where the server limits those too: counted against `dataPoints` of {@link ServerLimits}. */
  dataPoints?: number;
}

/** A message that the server's contract cannot carry, or cannot carry the whole of. */
export interface Refusal {
  identifier: number;
  reason: string;
}

/** What a protocol makes of some messages: each is in at least one of the three. */
export interface Mapping {
  publishes: readonly Publish[];
  /** Messages that the server has no word for: they leave the queue at once. */
  settled: readonly number[];
  /** Set aside as dead letters, at once; what is also in a publish is sent in part, and leaves the queue with that. */
  refused: readonly Refusal[];
}

/** So many in so many seconds. */
export interface Rate {
  count: number;
  seconds: number;
}

/**
 * What a server allows on one connection; what is left out is not limited. It holds where things are sent: delays on the
 * way bring them closer together, so ask for somewhat less than the server takes.
 */
export interface ServerLimits {
  /** Most publishes that are sent and not acknowledged. */
  publishesUnderWay?: number;
  /** Each of the rates holds. */
  publishes?: readonly Rate[];
  dataPoints?: readonly Rate[];
}

/** A connection as a protocol sees it: for questions and answers that travel beside the queue. */
export interface Link {
  /**
   * Publishes with QoS 1, before what of the queue waits for the limits; resolves once the broker has acknowledged it.
   *
   * @throws an error with the code `IVY_CONNECTION_LOST` when the connection ends before, with `IVY_FORWARDER_USAGE` where
   *   the topic or the payload is none
   */
  publish(topic: string, payload: string | Buffer): Promise<void>;
  /** From now on the forwarder keeps to these limits, until the connection ends. */
  keepTo(limits: ServerLimits): void;
  /** Aborted when the connection has ended. */
  readonly signal: AbortSignal;
}

/** How messages travel to a server and back: all that a backend needs to say. */
export interface ServerProtocol<Body = MessageBody> {
  /** Topic filters subscribed with QoS 1 at every connect. */
  readonly subscriptions: readonly string[];
  /** The server keeps neither subscriptions nor messages for a client that is away; it does if left out. */
  readonly cleanSession?: boolean;
  /**
   * Called at every connect, once the subscriptions are granted and before anything of the queue is sent. If it fails, or
   * takes longer than an acknowledgement may, that is logged and the queue is sent all the same.
   */
  connected?(link: Link): void | Promise<void>;
  /**
   * Maps messages in their order, at once. A message for which it throws, or returns what is no mapping of what it was
   * given, is set aside with that reason.
   */
  map(messages: readonly MessageQueueItem<Body>[]): Mapping;
  /**
   * Takes a message from the server, one after another; each is acknowledged to the broker once this has ended. What the
   * broker kept for us may come before `connected` is called. It may wait for what it publishes itself, and must not wait
   * for another message.
   */
  receive(topic: string, payload: Buffer, link: Link): void | Promise<void>;
}
