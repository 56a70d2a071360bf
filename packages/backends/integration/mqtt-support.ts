import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Config, parseConfig } from "@ivy/types";
import { connectAsync } from "mqtt";
import { onTestFinished } from "vitest";
import { type Mosquitto, startMosquitto } from "../src/testing.ts";

const USER = { username: "node-7", password: "canary-password" };
export const PATIENCE = { timeout: 20_000, interval: 10 };

/** A configuration of plain MQTT; with the default topics, if none are given. */
export function configuration({ host, port }: { host: string; port: number }, topics?: object): Config {
  return parseConfig(
    {
      general: { config_revision: 7, software_version: "2.0.0", system_identifier: "roof" },
      logging_verbosity: { file_archive: "DEBUG", console_prints: null, message_sending: null },
      backend: { provider: "mqtt", mqtt_connection: { host, port, client_id: "node-7", ...USER }, topics },
      dummy_procedure: { seconds_between_datapoints: 10 },
      system_checks: { seconds_between_checks: 120 },
    },
    "the configuration",
  );
}

export interface Folders {
  dataDir: string;
  configDir: string;
}

/** A broker, and the folders of a node. */
export async function setUp(): Promise<{ broker: Mosquitto; folders: Folders }> {
  const broker = await startMosquitto({ user: USER });
  onTestFinished(() => broker[Symbol.asyncDispose]());
  const root = mkdtempSync(join(tmpdir(), "ivy-mqtt-"));
  const folders = { dataDir: join(root, "data"), configDir: join(root, "config") };
  for (const folder of Object.values(folders)) mkdirSync(folder);
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  return { broker, folders };
}

/** Somebody who subscribes and publishes at the broker. */
export async function startClient({ host, port }: Mosquitto, filter: string) {
  const client = await connectAsync({ protocol: "mqtt", host, port, ...USER, reconnectPeriod: 0 });
  onTestFinished(() => client.endAsync(true));
  const arrivals: { topic: string; payload: string }[] = [];
  client.on("message", (topic, payload) => arrivals.push({ topic, payload: payload.toString() }));
  await client.subscribeAsync(filter, { qos: 1 });
  const configure = (topic: string, payload: string) =>
    client.publishAsync(topic, payload, { qos: 1, retain: true });
  return { arrivals, configure };
}
