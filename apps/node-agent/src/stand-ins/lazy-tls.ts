import { createRequire } from "node:module";
import type { ConnectionOptions, TLSSocket } from "node:tls";

const require = createRequire(import.meta.url);

/** Stands in for `tls` in MQTT.js, which loads it for connections without TLS as well. */
export function connect(options: ConnectionOptions): TLSSocket {
  return (require("node:tls") as typeof import("node:tls")).connect(options);
}
