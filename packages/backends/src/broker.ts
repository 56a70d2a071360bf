import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { BrokerConnection } from "@ivy/messaging/forwarder";
import { ConfigError, type MQTTBrokerConfig, type TlsConfig } from "@ivy/types";

/**
 * The broker that a configuration names.
 *
 * @param configDir - what the paths of certificates are relative to
 * @throws ConfigError where a certificate or key cannot be read
 */
export function brokerOf(connection: MQTTBrokerConfig, configDir: string): BrokerConnection {
  const { host, port, client_id, username, password, tls } = connection;
  return { host, port, clientId: client_id, username, password, tls: tls && readTls(tls, configDir) };
}

function readTls(tls: TlsConfig, configDir: string): NonNullable<BrokerConnection["tls"]> {
  const read = (key: keyof TlsConfig) => {
    const file = tls[key];
    if (file === undefined) return undefined;
    try {
      return readFileSync(resolve(configDir, file));
    } catch (error) {
      const problem = `the file cannot be read (${(error as Error).message})`;
      const path = `backend.mqtt_connection.tls.${key}`;
      throw new ConfigError("The configuration", [{ path, problem }], { cause: error });
    }
  };
  const [ca, cert, key] = [read("ca_file"), read("cert_file"), read("key_file")];
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}
