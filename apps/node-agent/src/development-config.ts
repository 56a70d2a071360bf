import { existsSync, readFileSync } from "node:fs";
import { replaceFile } from "@ivy/files";
import { loadConfig } from "@ivy/types";
import { AgentConfig } from "./agent-config.ts";

const LOOPBACK = ["localhost", "127.0.0.1", "::1"];

/** Creates the configuration from the template if there is none; returns whether it did. */
export function createConfig(configFile: string, templateFile: string): boolean {
  if (existsSync(configFile)) return false;
  replaceFile(configFile, readFileSync(templateFile), 0o600);
  return true;
}

/**
 * Refuses to run a configured node against the development broker: it would take messages out of the queue that
 * wait for a real server.
 *
 * @throws Error where the configuration names a broker on another machine
 */
export function refuseRealServer(configFile: string): void {
  const host = loadConfig(configFile, AgentConfig).backend?.mqtt_connection.host;
  if (host === undefined || LOOPBACK.includes(host)) return;
  throw new Error(
    `${configFile} names the broker ${host}, and what waits for it in the data folder would go to the development ` +
      "broker instead. Run the agent with `npm run -s ivy -- start`, or try things out elsewhere: " +
      "IVY_DATA_DIR=/tmp/ivy npm start",
  );
}

/** The configuration with the development broker in the place of the server's. */
export function withDevelopmentBroker(config: AgentConfig, port: number): AgentConfig {
  const client_id = config.general.system_identifier;
  // The topics of plain MQTT are worth seeing here; other servers need more than a broker.
  const { provider, topics } =
    config.backend?.provider === "mqtt" ? config.backend : { provider: "tenta" as const };
  return {
    ...config,
    backend: {
      provider,
      topics,
      mqtt_connection: { host: "127.0.0.1", port, client_id },
      max_parallel_messages: config.backend?.max_parallel_messages ?? 50,
      max_backlog_rate: config.backend?.max_backlog_rate ?? 500,
      // Ctrl-C ends everything soon; what is left stays in the queue.
      max_drain_time: 2,
    },
  };
}
