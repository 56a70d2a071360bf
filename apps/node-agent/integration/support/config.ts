import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { AnyConfig } from "./deployed-node.ts";

const TEMPLATE_FILE = resolve(import.meta.dirname, "../../../../config/config.template.json");

export const PASSWORD = "canary-password";
export const TOKEN = "canary-token";
export const SENSOR = "node-7";

/** A configuration for a broker on loopback, with secrets planted in it. What tests do not care for is the template's. */
export function configFor(
  broker: { host: string; port: number },
  change: Partial<AnyConfig> = {},
): AnyConfig {
  const { $schema: _, ...template }: AnyConfig = JSON.parse(readFileSync(TEMPLATE_FILE, "utf8"));
  return {
    ...template,
    general: { config_revision: 7, software_version: "2.0.0", system_identifier: SENSOR },
    logging_verbosity: { file_archive: "DEBUG", console_prints: "DEBUG", message_sending: "WARNING" },
    updater: { repository: "org/repo", provider: "github", provider_host: "github.com", access_token: TOKEN },
    backend: {
      provider: "tenta",
      mqtt_connection: {
        host: broker.host,
        port: broker.port,
        client_id: SENSOR,
        username: SENSOR,
        password: PASSWORD,
      },
      max_parallel_messages: 50,
      max_drain_time: 5,
    },
    dummy_procedure: { seconds_between_datapoints: 1 },
    system_checks: { seconds_between_checks: 1 },
    ...change,
  };
}

/** The same with another revision, and perhaps other sections. */
export function changed(
  config: AnyConfig,
  config_revision: number,
  change: Record<string, unknown> = {},
): AnyConfig {
  return { ...config, ...change, general: { ...config.general, config_revision } };
}
