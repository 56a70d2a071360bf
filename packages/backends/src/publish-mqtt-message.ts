import { connectAsync } from "mqtt";

export interface PublishOptions {
  topic: string;
  /** Published as JSON. */
  message: object;
  host: string;
  port: number;
  username?: string;
  password?: string;
  /** Whether the broker keeps it for whoever subscribes later. */
  retain?: boolean;
}

/**
 * Publishes one message with QoS 1: a helper for development, for example to send a configuration to a node.
 *
 * @returns resolves once the broker has acknowledged it
 */
export async function publishMqttMessage({
  topic,
  message,
  retain = false,
  ...broker
}: PublishOptions): Promise<void> {
  const client = await connectAsync({ protocol: "mqtt", reconnectPeriod: 0, ...broker });
  try {
    await client.publishAsync(topic, JSON.stringify(message), { qos: 1, retain });
  } finally {
    await client.endAsync();
  }
}
