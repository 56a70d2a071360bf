import { type BrokerConnection, tryBroker } from "@ivy/messaging/forwarder";

/** For each of the two steps, in milliseconds. */
const STEP_MS = 5_000;

/**
 * What tries to log in at the broker, once for all checks that want to know. Under a client id of its own, for the
 * broker would end the connection of the agent otherwise.
 */
export function loginOnce(): (broker: BrokerConnection) => Promise<number> {
  let login: Promise<number> | undefined;
  return (broker) => {
    login ??= tryBroker(
      { ...broker, clientId: `${broker.clientId}-doctor` },
      { timeoutMs: STEP_MS, signal: AbortSignal.timeout(2 * STEP_MS) },
    );
    return login;
  };
}
