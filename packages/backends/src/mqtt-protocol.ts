import type { Publish, ServerProtocol } from "@ivy/messaging/forwarder";
import type { MessageBody, MessageQueueItem, TopicsConfig } from "@ivy/types";
import { fillTopic } from "./topic-template.ts";

/** Where messages go, who we are there, and what to do with a configuration that arrives. */
export interface MqttOptions {
  /** Templates. */
  topics: TopicsConfig;
  systemIdentifier: string;
  clientId: string;
  receiveConfig(payload: Buffer): Promise<void>;
}

/**
 * Plain MQTT: each message is one publish of one JSON object, so that whoever subscribes needs to know of no batches.
 *
 * @throws RangeError where a name that a topic shall hold cannot stand in one
 */
export function mqttProtocol(options: MqttOptions): ServerProtocol {
  const { topics, systemIdentifier, clientId, receiveConfig } = options;
  const names = { system_identifier: systemIdentifier, client_id: clientId };
  const fixed = {
    data: fillTopic(topics.data, names),
    config: fillTopic(topics.configuration_states, names),
  };
  const topicOf = (body: MessageBody): string =>
    body.variant === "log" ? fillTopic(topics.logs, { ...names, level: body.level }) : fixed[body.variant];
  // A name that does not fit shall show now, not with the first error that is to be sent.
  topicOf({ variant: "log", level: "ERROR", subject: "", body: "" });
  return {
    subscriptions: [fillTopic(topics.configuration, names)],
    map: (messages) => ({
      publishes: messages.map((message) => toPublish(message, topicOf(message.message_body))),
      settled: [],
      refused: [],
    }),
    receive: (_topic, payload) => receiveConfig(payload),
  };
}

function toPublish(
  { identifier, timestamp, revision, message_body }: MessageQueueItem,
  topic: string,
): Publish {
  const when = { timestamp, ...(revision === undefined ? {} : { revision }) };
  const { variant: _, ...content } = message_body;
  // What comes twice after a cut can be told by it.
  return {
    topic,
    payload: JSON.stringify({ id: identifier, ...when, ...content }),
    identifiers: [identifier],
  };
}
