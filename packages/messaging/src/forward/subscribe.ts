import { ErrorWithSubackPacket } from "mqtt";
import type { Connection } from "./connection.ts";
import { ConnectionLostError, SubscriptionRefusedError } from "./connection-error.ts";

/** Set in a SUBACK's code where the broker refuses. */
const FAILURE = 0x80;

/**
 * Subscribes to topics with QoS 1. The connection is given up where the broker does not answer in time.
 *
 * @throws SubscriptionRefusedError where the broker does not grant all of them
 */
export async function subscribe(
  connection: Connection,
  filters: readonly string[],
  timeoutMs: number,
): Promise<void> {
  if (filters.length === 0) return;
  const silence = new ConnectionLostError("the broker does not answer to a subscription", {
    byOtherSide: false,
  });
  const timer = setTimeout(() => connection.end(silence), timeoutMs);
  try {
    await connection.client.subscribeAsync([...filters], { qos: 1 });
  } catch (error) {
    connection.ended.throwIfAborted();
    const granted = error instanceof ErrorWithSubackPacket ? error.packet.granted : [];
    const refused = filters.filter((_, index) => (Number(granted[index] ?? FAILURE) & FAILURE) !== 0);
    throw new SubscriptionRefusedError(
      `The broker refuses the subscription to ${refused.join(", ")}: this client may not read it, or the topic is wrong`,
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
  }
}
