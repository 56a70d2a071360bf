import type { BrokerConnection } from "./broker.ts";
import { connectToBroker } from "./broker-connection.ts";
import { SubscriptionRefusedError } from "./connection-error.ts";
import { subscribe } from "./subscribe.ts";
import { DEFAULT_TIMEOUTS } from "./timeouts.ts";
import { unlessAborted } from "./unless-aborted.ts";

/**
 * Connects to a broker, waits for an answer of it and goes, leaving nothing behind. To be given a client id of its own:
 * a broker ends the connection of whoever has the same.
 *
 * @param timeoutMs - for each of the two steps, in milliseconds
 * @returns how long the answer took, in milliseconds
 * @throws what `forward` would report of a broker that cannot be reached or refuses us
 */
export async function tryBroker(
  broker: BrokerConnection,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<number> {
  await using connection = await connectToBroker(broker, {
    cleanSession: true,
    receive: async () => undefined,
    timeouts: { ...DEFAULT_TIMEOUTS, connectMs: timeoutMs },
    signal,
  });
  const begin = performance.now();
  try {
    const subscribed = subscribe(connection, [`ivy/doctor/${broker.clientId}`], timeoutMs);
    await unlessAborted(subscribed, connection.ended);
  } catch (error) {
    // Not allowed is an answer too.
    if (!(error instanceof SubscriptionRefusedError)) throw error;
  }
  return performance.now() - begin;
}
