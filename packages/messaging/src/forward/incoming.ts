import type { MqttClient } from "mqtt";

/** Stands in for an acknowledgement: MQTT.js then goes on with the next packet and sends none by itself. */
const LATER = new Error("acknowledged later");

/**
 * Hands over what the broker sends, one message after another; each is acknowledged once its turn has ended. To be
 * called before the connection stands: what was kept for us comes in the same packet as the broker's welcome.
 *
 * It works beside MQTT.js, which handles no other packet while it waits for us: a receiver that waited for the
 * acknowledgement of its own answer would wait for ever.
 *
 * @param receive - must not reject
 */
export function takeMessages(
  client: MqttClient,
  receive: (topic: string, payload: Buffer) => Promise<void>,
): void {
  const stands = () => client.connected && !client.disconnecting;
  let previous = Promise.resolve();
  client.handleMessage = ({ topic, payload, qos, messageId }, next) => {
    previous = previous.then(async () => {
      // What waits when the connection ends comes again over the next one.
      if (!stands()) return;
      await receive(topic, payload as Buffer);
      if (stands() && qos > 0 && messageId !== undefined) client.stream.write(puback(messageId));
    });
    next(LATER);
  };
}

/** The packet of MQTT 3.1.1 that acknowledges a publish with QoS 1. */
function puback(messageId: number): Buffer {
  return Buffer.from([0x40, 2, messageId >> 8, messageId & 0xff]);
}
