/** How long to wait for the other side, in milliseconds. */
export interface Timeouts {
  /** For a connection to stand; 20,000 if left out. */
  connectMs: number;
  /** For the acknowledgement of the oldest publish and of the subscriptions; 30,000 if left out. */
  acknowledgementMs: number;
  /**
   * Without a sign of life, until the broker is asked for one; half as long after that the connection is given up. In
   * whole seconds, as MQTT has it; 60,000 if left out.
   */
  keepAliveMs: number;
}

export const DEFAULT_TIMEOUTS: Timeouts = {
  connectMs: 20_000,
  acknowledgementMs: 30_000,
  keepAliveMs: 60_000,
};
