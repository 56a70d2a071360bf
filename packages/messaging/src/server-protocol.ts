import type { MessageBody, MessageQueueItem } from "@ivy/types";

/** One MQTT publish (QoS 1), which carries one or more messages. */
export interface Publish {
  topic: string;
  payload: string | Buffer;
  /** The messages that leave the queue once this publish is acknowledged. */
  identifiers: readonly number[];
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

/** How messages travel to a server and back: all that a backend needs to say. */
export interface ServerProtocol<Body = MessageBody> {
  /** Topic filters subscribed with QoS 1 at every connect. */
  readonly subscriptions: readonly string[];
  /** Maps messages in their order. Must not throw: a message that cannot be mapped is refused. */
  map(messages: readonly MessageQueueItem<Body>[]): Mapping;
  /** Takes a message from the server; it is acknowledged to the broker once this has ended. */
  receive(topic: string, payload: Buffer): void | Promise<void>;
}
