/** How long to wait for the other side, in milliseconds, from 1 on. */
export interface Timeouts {
  /** For a connection to stand; 20,000 if left out. */
  connectMs: number;
  /** For the acknowledgement of the oldest publish and of the subscriptions; 30,000 if left out. */
  acknowledgementMs: number;
  /**
   * Without a sign of life, until the broker is asked for one; half as long after that the connection is given up. In
   * whole seconds, as MQTT has it, at most 65,535 of them; 60,000 if left out.
   */
  keepAliveMs: number;
}

export const DEFAULT_TIMEOUTS: Timeouts = {
  connectMs: 20_000,
  acknowledgementMs: 30_000,
  keepAliveMs: 60_000,
};

/** A timer that is to take longer fires at once, in milliseconds. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The timeouts that are given, and the usual ones for those that are not. */
export function timeoutsWith(given: { [Name in keyof Timeouts]?: number | undefined } = {}): Timeouts {
  return {
    connectMs: given.connectMs ?? DEFAULT_TIMEOUTS.connectMs,
    acknowledgementMs: given.acknowledgementMs ?? DEFAULT_TIMEOUTS.acknowledgementMs,
    keepAliveMs: given.keepAliveMs ?? DEFAULT_TIMEOUTS.keepAliveMs,
  };
}
