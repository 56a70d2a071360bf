import { describe, expect, it } from "vitest";
import { ConfigError, loadConfigFromString } from "../src/index.ts";

const SOUND = {
  general: { config_revision: 17, software_version: "2.0.0", system_identifier: "node-7" },
  logging_verbosity: { file_archive: "DEBUG", console_prints: "INFO", message_sending: "WARNING" },
  updater: {
    repository: "tum-esm/ivy",
    provider: "github",
    provider_host: "github.com",
    access_token: "canary-token",
  },
  backend: {
    provider: "tenta",
    mqtt_connection: { host: "h", port: 1883, client_id: "c", username: "u", password: "canary-password" },
  },
  dummy_procedure: { seconds_between_datapoints: 10 },
  system_checks: { seconds_between_checks: 120 },
};

/** What is changed in the sound configuration, by the keys from the top; `undefined` takes the key away. */
type Changes = Record<string, unknown>;

/** In the order of the golden file: add at the end, or update it with `vitest run -u` and read what changed. */
const BROKEN: Record<string, Changes | string> = {
  "an empty file": "",
  "a comma after the last key": '{\n  "general": {},\n}',
  "a missing brace": '{ "general": { "config_revision": 1 }',
  "a comment": '{\n  // my node\n  "general": {}\n}',
  "single quotes": "{ 'general': {} }",
  "a list": "[]",
  "a text": '"canary"',
  null: "null",
  "an empty object": "{}",
  "no general": { general: undefined },
  "general null": { general: null },
  "a revision below -1": { "general.config_revision": -2 },
  "a revision too large": { "general.config_revision": 2 ** 31 },
  "a revision as text": { "general.config_revision": "17" },
  "a revision with a fraction": { "general.config_revision": 1.5 },
  "a version with a v": { "general.software_version": "v2.0.0" },
  "a version of two parts": { "general.software_version": "2.0" },
  "a short commit": { "general.software_commit": "abc123" },
  "an empty name": { "general.system_identifier": "" },
  "a level in lower case": { "logging_verbosity.file_archive": "debug" },
  "a level of another software": { "logging_verbosity.console_prints": "CRITICAL" },
  "no level": { "logging_verbosity.message_sending": undefined },
  "a misspelt section": { loging_verbosity: {} },
  "a misspelt key": { "backend.mqtt_connection.pasword": "canary-misspelt" },
  "a misspelt schema": { schema: "./config.schema.json" },
  "several mistakes": {
    "general.config_revision": -7,
    "backend.mqtt_connection.port": 0,
    "system_checks.seconds_between_check": 1,
  },
  "a repository as an address": { "updater.repository": "https://github.com/tum-esm/ivy" },
  "a repository with a command": { "updater.repository": "a/b; rm -rf /" },
  "an unknown code host": { "updater.provider": "bitbucket" },
  "a host with a path": { "updater.provider_host": "github.com/enterprise" },
  "a short token": { "updater.access_token": "ca" },
  "a token as number": { "updater.access_token": 12345 },
  "both names of a strategy": {
    "updater.source_conflict_strategy": "reuse",
    "updater.source_conflict_behaviour": "reuse",
  },
  "a remote without git": { "updater.remote": "git@example.org:a/b.git" },
  "a key as text instead of a list": { "updater.trusted_keys": "RWQ" },
  "an empty key": { "updater.trusted_keys": [""] },
  "a time of day in words": { "updater.maintenance_window": { from: "2am", to: "04:00" } },
  "a window without an end": { "updater.maintenance_window": { from: "02:00" } },
  "a trial too short": { "updater.trial_seconds": 5 },
  "a yes in words": { "updater.allow_downgrade": "yes" },
  "an unknown server": { "backend.provider": "aws" },
  "a port as text": { "backend.mqtt_connection.port": "1883" },
  "a port too large": { "backend.mqtt_connection.port": 65_536 },
  "no host": { "backend.mqtt_connection.host": undefined },
  "a connection as address": { "backend.mqtt_connection": "mqtt://u:canary@h" },
  "a password as number": { "backend.mqtt_connection.password": 1234 },
  "a password too long": { "backend.mqtt_connection.password": "canary".repeat(100) },
  "tls as yes": { "backend.mqtt_connection.tls": true },
  "topics with a server that has its own": { "backend.topics": {} },
  "a topic with a wildcard": { "backend.provider": "mqtt", "backend.topics": { data: "a/#" } },
  "a topic with an unknown placeholder": {
    "backend.provider": "mqtt",
    "backend.topics": { data: "a/{site}" },
  },
  "a loop of topics": { "backend.provider": "mqtt", "backend.topics": { data: "a", configuration: "a" } },
  "an interval of 0": { "dummy_procedure.seconds_between_datapoints": 0 },
  "no section of a procedure": { system_checks: undefined },
  "a process shared in a word": { supervision: { share_process: "yes" } },
  "a token with a line break": { "updater.access_token": "canary\ntoken" },
  "a remote with a token": {
    "updater.provider": "git",
    "updater.remote": "https://canary@example.org/a/b.git",
  },
  "a window that never opens": { "updater.maintenance_window": { from: "02:00", to: "02:00" } },
};

function textOf(broken: Changes | string): string {
  if (typeof broken === "string") return broken;
  const config = structuredClone(SOUND) as Record<string, unknown>;
  for (const [path, value] of Object.entries(broken)) {
    const keys = path.split(".");
    const last = keys.pop() ?? "";
    const parent = keys.reduce((inner, key) => inner[key] as Record<string, unknown>, config);
    parent[last] = value;
  }
  return JSON.stringify(config);
}

function complaintAbout(text: string): string {
  try {
    loadConfigFromString(text, "config.json");
    return "is taken for sound";
  } catch (error) {
    return error instanceof ConfigError ? error.message : String(error);
  }
}

describe("broken configurations", () => {
  it("are refused in words that say where, what came and what is allowed, and show no secret", async () => {
    const cases = Object.entries(BROKEN);
    expect(cases.length).toBeGreaterThanOrEqual(40);
    expect(complaintAbout(textOf({}))).toBe("is taken for sound");
    const said = cases.map(([name, broken]) => `# ${name}\n${complaintAbout(textOf(broken))}\n`).join("\n");
    expect(said).not.toMatch(/canary|\b1234/);
    expect(said).not.toContain("is taken for sound");
    await expect(said).toMatchFileSnapshot("broken-configs.golden.txt");
  });
});
