import type { BrokerConnection } from "./broker.ts";
import { connectToBroker } from "./broker-connection.ts";
import { ConnectionRefusedError } from "./connection-error.ts";
import { DEFAULT_TIMEOUTS } from "./timeouts.ts";

/**
 * Whether a broker answers a client at all, be it with a refusal: then it is there, and what keeps a client out is the
 * client's own affair. Connects under a name of its own, so no session of a client is touched.
 */
export async function brokerAnswers(broker: BrokerConnection, signal: AbortSignal): Promise<boolean> {
  const probe = { ...broker, clientId: `${broker.clientId}-probe` };
  const options = { cleanSession: true, receive: async () => undefined, timeouts: DEFAULT_TIMEOUTS, signal };
  try {
    await using _connection = await connectToBroker(probe, options);
    return true;
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof ConnectionRefusedError;
  }
}
