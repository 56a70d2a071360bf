import { mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as z from "zod/mini";
import {
  Config,
  ConfigError,
  configDigest,
  dumpConfig,
  loadConfig,
  loadConfigFromString,
  loadForeignConfigFromString,
  parseConfig,
  redact,
  redactText,
  secret,
  secretsOf,
  spellingsOf,
  toForeignConfig,
} from "../src/index.ts";

/** What Python Ivy 1.1.0 loads, with the misspelt key of its template. */
const PYTHON_1_1_0 = {
  general: { config_revision: 17, software_version: "1.1.0", system_identifier: "node-7" },
  logging_verbosity: { file_archive: "DEBUG", console_prints: "INFO", message_sending: "WARNING" },
  updater: {
    repository: "tum-esm/ivy-seed",
    provider: "github",
    provider_host: "github.com",
    access_token: "ghp_canary",
    source_conflict_behaviour: "reuse",
  },
  backend: {
    provider: "tenta",
    mqtt_connection: { host: "h", port: 1883, client_id: "c", username: "u", password: "canary" },
    max_parallel_messages: 50,
    max_drain_time: 300,
  },
  dummy_procedure: { seconds_between_datapoints: 10 },
  system_checks: { seconds_between_checks: 120 },
};

/** The same as this version holds it: with the defaults of what is new. */
const LOADED = {
  ...PYTHON_1_1_0,
  updater: {
    ...PYTHON_1_1_0.updater,
    spread_seconds: 300,
    trial_seconds: 300,
    config_trial_seconds: 60,
    allow_downgrade: true,
    kept_versions: 1,
  },
  backend: { ...PYTHON_1_1_0.backend, max_backlog_rate: 500 },
};

/** A configuration with one value changed; `undefined` removes the key. */
function withChange(path: string, value: unknown): unknown {
  const copy = structuredClone(PYTHON_1_1_0) as Record<string, unknown>;
  const keys = path.split(".");
  const last = keys.pop() as string;
  const parent = keys.reduce((inner, key) => inner[key] as Record<string, unknown>, copy);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return copy;
}

function problemsOf(config: unknown): string {
  try {
    loadConfigFromString(JSON.stringify(config), "config.json");
    return "none";
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
}

describe("a configuration", () => {
  it("of Python Ivy 1.1.0 loads unchanged", () => {
    expect(loadConfigFromString(JSON.stringify(PYTHON_1_1_0))).toEqual(LOADED);
  });

  it("of Python Ivy 1.1.0 loads with null and with left out sections", () => {
    expect(problemsOf(withChange("backend", null))).toBe("none");
    expect(problemsOf(withChange("updater", undefined))).toBe("none");
    expect(problemsOf(withChange("updater.access_token", null))).toBe("none");
    expect(problemsOf(withChange("logging_verbosity.console_prints", null))).toBe("none");
  });

  it("is completed by the defaults of the original", () => {
    const config = loadConfigFromString(JSON.stringify(withChange("backend.max_drain_time", undefined)));
    expect(config.backend?.max_drain_time).toBe(600);
  });

  it("the template of this repository loads", () => {
    expect(
      loadConfig(join(import.meta.dirname, "../../../config/config.template.json")).backend?.provider,
    ).toBe("tenta");
  });

  it.each([
    [
      "backend.mqtt_connection.port",
      "1883",
      'backend.mqtt_connection.port: must be a whole number from 1 to 65535; came "1883"',
    ],
    [
      "backend.mqtt_connection.port",
      70_000,
      "backend.mqtt_connection.port: must be a whole number from 1 to 65535; came 70000",
    ],
    [
      "backend.mqtt_connection.host",
      undefined,
      "backend.mqtt_connection.host: must be a text of 1 to 512 characters; came nothing: the key is missing",
    ],
    [
      "backend.mqtt_connection",
      "mqtt://u:canary@h",
      "backend.mqtt_connection: must be an object with the keys host, port, client_id, username, password, tls; came a text of 17 characters",
    ],
    [
      "backend.mqtt_conection",
      {},
      'backend.mqtt_conection: is not a known key (did you mean "mqtt_connection"?',
    ],
    [
      "general.config_revision",
      -2,
      "general.config_revision: must be a whole number from -1 to 2147483647; came -2",
    ],
    [
      "general.software_version",
      "v1",
      'general.software_version: must be a version like 1.2.0 or 1.2.0-rc.1; came "v1"',
    ],
    [
      "logging_verbosity.file_archive",
      "debug",
      'logging_verbosity.file_archive: must be one of "DEBUG", "INFO", "WARNING", "ERROR", "EXCEPTION" or null; came "debug"',
    ],
    [
      "updater.repository",
      "a/b; touch x #",
      "updater.repository: must be a repository like orgname/reponame",
    ],
    ["updater.provider_host", "evil.org/$(id)", "updater.provider_host: must be a host name like github.com"],
    [
      "updater.source_conflict_strategy",
      "overwrite",
      "updater.source_conflict_behaviour: is the old name of source_conflict_strategy",
    ],
    ["dummy_procedures", {}, 'dummy_procedures: is not a known key (did you mean "dummy_procedure"?'],
    [
      "dummy_procedure.seconds_between_datapoints",
      0.5,
      "dummy_procedure.seconds_between_datapoints: must be a whole number from 1 to 7200; came 0.5",
    ],
    [
      "system_checks",
      undefined,
      "system_checks: must be an object with the keys seconds_between_checks; came nothing",
    ],
  ])("with a wrong %s is refused with the path, what came and what is allowed", (path, value, message) => {
    const problems = problemsOf(withChange(path, value));
    expect(problems).toContain("config.json cannot be used");
    expect(problems).toContain(message);
    expect(problems).not.toContain("canary");
  });

  it("has topics of its own with plain MQTT, each with a default", () => {
    const backend = {
      ...PYTHON_1_1_0.backend,
      provider: "mqtt",
      topics: { logs: "{client_id}/logs/{level}", data: "sites/{system_identifier}" },
    };
    const config = loadConfigFromString(JSON.stringify(withChange("backend", backend)));
    expect(config.backend?.topics).toEqual({
      data: "sites/{system_identifier}",
      logs: "{client_id}/logs/{level}",
      configuration_states: "ivy/{system_identifier}/configuration_states",
      configuration: "ivy/{system_identifier}/configuration",
    });
  });

  it.each([
    [
      "data",
      "a/{site}",
      "must be a topic with no placeholder but {system_identifier}, {client_id}: {site} is none",
    ],
    ["data", "a/{level}", "{level} is none of them"],
    ["logs", "a/{level", "must be a topic in which braces come in pairs"],
    ["data", "a/+", "must be one topic, without the wildcards + and #"],
    ["configuration", "a/#", "must be one topic, without the wildcards + and #"],
    ["data", "/a", "must be a topic without empty levels"],
    ["data", "a//b", "must be a topic without empty levels"],
    ["data", "a\0", "must be a topic without control characters"],
    ["data", "", 'must be a text of 1 to 512 characters; came ""'],
    ["configuration", "ivy/{system_identifier}/data", "must not be a topic that this system publishes to"],
    ["dta", "a", 'is not a known key (did you mean "data"?'],
  ])("with the topic of %s %j is refused", (key, template, message) => {
    const backend = { ...PYTHON_1_1_0.backend, provider: "mqtt", topics: { [key]: template } };
    const problems = problemsOf(withChange("backend", backend));
    expect(problems).toContain(`backend.topics.${key}: `);
    expect(problems).toContain(message);
  });

  it("with topics for a server that has its own is refused, and told why", () => {
    expect(problemsOf(withChange("backend.topics", {}))).toContain(
      'backend.topics: is for the provider "mqtt" alone: with the others, the topics are those of the server',
    );
  });

  it("with a wrong secret is refused without showing it", () => {
    expect(problemsOf(withChange("backend.mqtt_connection.password", "canary".repeat(100)))).not.toContain(
      "canary",
    );
  });

  it("that is not JSON is refused with line and column, and without the text around the mistake", () => {
    const text = '{\n  "password": "canary" x\n}';
    expect(() => loadConfigFromString(text, "config.json")).toThrow(
      /config\.json.*\n.*not JSON.*line 2, column 24/,
    );
    expect(() => loadConfigFromString(text, "config.json")).not.toThrow(/canary/);
  });

  it("that says a key twice is refused with path and line of each, whichever version it is for", () => {
    const text = `{
      "general": { "config_revision": 1, "software_version": "1.1.0", "software_version": "canary" },
      "lists": [{ "name": "a" }, { "name": "b", "\\u006eame": "c" }],
      "general": {}
    }`;
    expect(() => loadForeignConfigFromString(text, "config.json")).toThrow(
      [
        "config.json cannot be used:",
        "  general.software_version: stands twice, on line 2 again",
        "  lists.1.name: stands twice, on line 3 again",
        "  general: stands twice, on line 4 again",
      ].join("\n"),
    );
  });

  it("that is missing says so", () => {
    expect(() => loadConfig("/nowhere/config.json")).toThrow(/nowhere\/config\.json.*\n.*missing/);
  });

  it("is for any version what it is for this one, to the last section", () => {
    const foreign = toForeignConfig(loadConfigFromString(JSON.stringify(PYTHON_1_1_0)));
    expect(foreign).toEqual(LOADED);
    expect(loadForeignConfigFromString(JSON.stringify(foreign))).toEqual(foreign);
  });

  it("is written for its owner only and read back as it was", () => {
    const file = join(mkdtempSync(join(tmpdir(), "ivy-types-")), "config.json");
    writeFileSync(file, "{}", { mode: 0o644 });
    const config = loadConfigFromString(JSON.stringify(PYTHON_1_1_0));
    dumpConfig(file, config);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(LOADED);
  });
});

it("A wrong value in a section that is secret as a whole is not shown", () => {
  const schema = z.object({ door: secret(z.object({ pin: z.int() })) });
  const load = () => parseConfig({ door: { pin: "canary" } }, "config.json", schema);
  expect(load).toThrow("door.pin");
  expect(load).not.toThrow("canary");
});

it("A file with a byte order mark is loaded", () => {
  expect(loadConfigFromString(`\uFEFF${JSON.stringify(PYTHON_1_1_0)}`)).toEqual(LOADED);
});

describe("redact", () => {
  it("shows no web address with a user name, which may be a token, also where no schema knows the field", () => {
    const updater = { remote: "https://canary@git.example.org/a/b.git", provider_host: "git.example.org" };
    expect(redact({ updater })).toEqual({ updater: { ...updater, remote: "[redacted]" } });
    expect(secretsOf({ updater })).toEqual([updater.remote]);
    const remote = "ssh://git@git.example.org/a/b.git";
    expect(redact({ remote })).toEqual({ remote });
  });

  it("takes the user name at ThingsBoard for the access token that it is where there is no password", () => {
    const backend = (connection: object, provider = "thingsboard") => ({
      general: {},
      backend: { provider, mqtt_connection: { host: "h", username: "canary", ...connection } },
    });
    for (const schema of [undefined, Config]) {
      const shown = redact(backend({}), schema).backend.mqtt_connection;
      expect(shown).toEqual({ host: "h", username: "[redacted]" });
      expect(secretsOf(backend({}), schema)).toEqual(["canary"]);
      expect(secretsOf(backend({ password: "secret" }), schema)).toEqual(["secret"]);
      expect(secretsOf(backend({}, "tenta"), schema)).toEqual([]);
    }
  });

  it("hides what the schema marks and what is a secret by its name, and nothing else", () => {
    const shown = redact(
      { ...PYTHON_1_1_0, other: { api_key: "canary", list: [{ token: "canary" }], tokens: 3 } },
      Config,
    );
    expect(JSON.stringify(shown)).not.toContain("canary");
    expect(shown.backend.mqtt_connection).toMatchObject({ host: "h", username: "u", password: "[redacted]" });
    expect(shown.other.tokens).toBe(3);
  });

  it.each<[string, z.ZodMiniType, unknown, unknown]>([
    ["below a description", secret(z.string()).check(z.describe("a PIN")), "canary", "[redacted]"],
    ["in a list", z.array(secret(z.string())), ["canary"], ["[redacted]"]],
    [
      "in objects of a list",
      z.array(z.object({ pin: secret(z.string()) })),
      [{ pin: "canary" }],
      [{ pin: "[redacted]" }],
    ],
    ["in a record", z.record(z.string(), secret(z.string())), { door: "canary" }, { door: "[redacted]" }],
    ["as an alternative", z.union([z.number(), secret(z.string())]), "canary", "[redacted]"],
    [
      "in an alternative",
      z.union([z.object({ pin: secret(z.string()) }), z.null()]),
      { pin: "canary" },
      { pin: "[redacted]" },
    ],
    [
      "as a whole section",
      z.optional(secret(z.object({ pin: z.string() }))),
      { pin: "canary" },
      "[redacted]",
    ],
    ["in a tuple", z.tuple([z.string(), secret(z.string())]), ["shown", "canary"], ["shown", "[redacted]"]],
  ])("finds a secret %s", (_, inner, value, shown) => {
    const schema = z.object({ greenhouse: inner });
    expect(redact({ greenhouse: value }, schema)).toEqual({ greenhouse: shown });
    expect(secretsOf({ greenhouse: value }, schema)).toEqual(["canary"]);
  });

  it("lists a number as the text that it is written as", () => {
    expect(secretsOf({ pin: 4711 }, z.object({ pin: secret(z.int()).check(z.minimum(1_000)) }))).toEqual([
      "4711",
    ]);
  });

  it("comes to an end with a schema that is an alternative of itself", () => {
    const schema: z.ZodMiniType = z.lazy(() => z.union([secret(z.string()), z.optional(schema)]));
    expect(secretsOf({ pin: "canary" }, z.object({ pin: schema }))).toEqual(["canary"]);
  });

  it("lists the secrets, longest first", () => {
    expect(secretsOf(PYTHON_1_1_0, Config)).toEqual(["ghp_canary", "canary"]);
  });
});

describe("redactText", () => {
  it("strikes out every spelling of every secret, and leaves no rest of one that holds another", () => {
    const spellings = spellingsOf(["canary", 'canary "long"']);
    const texts = ['canary "long", canary', JSON.stringify('canary "long"'), "canary%20%22long%22"];
    expect(texts.map((text) => redactText(text, spellings))).toEqual([
      "[redacted], [redacted]",
      '"[redacted]"',
      "[redacted]",
    ]);
  });
});

describe("configDigest", () => {
  it("does not depend on the order of keys, but on every value", () => {
    expect(configDigest({ a: 1, b: { c: 2, d: [3] } })).toBe(configDigest({ b: { d: [3], c: 2 }, a: 1 }));
    expect(configDigest({ a: 1 })).not.toBe(configDigest({ a: 2 }));
  });
});
