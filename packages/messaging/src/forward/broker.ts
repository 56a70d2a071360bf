/** Where the broker is and who we are there. */
export interface BrokerConnection {
  host: string;
  port: number;
  clientId: string;
  username?: string | undefined;
  password?: string | undefined;
  /** Speak TLS; without `ca` the system's authorities are trusted. PEM each. */
  tls?: { ca?: string | Buffer; cert?: string | Buffer; key?: string | Buffer } | undefined;
}
