import { describe, expect, it } from "vitest";
import { Config, compareConfigs, configJsonSchema, describeKey, UnknownKeyError } from "../src/index.ts";

/** All keys, those of sections and what is in them. */
function allKeys(key = ""): string[] {
  const keys =
    key === "" ? Object.keys(configJsonSchema(Config).properties ?? {}) : describeKey(Config, key).keys;
  return (keys ?? []).flatMap((name) => {
    const path = key === "" ? name : `${key}.${name}`;
    return [path, ...allKeys(path)];
  });
}

describe("the schema of the configuration", () => {
  it("has a title and a description for every key, an example for all but sections, a unit where one counts", () => {
    const keys = allKeys();
    expect(keys.length).toBeGreaterThan(45);
    for (const key of keys) {
      const { title, description, example, unit, allowed, keys: inner } = describeKey(Config, key);
      expect(title, key).not.toBe(key);
      expect(title.length, key).toBeGreaterThan(2);
      expect(description.length, key).toBeGreaterThan(10);
      if (inner === undefined) expect(example, key).toBeDefined();
      const isName = /port$|revision$/.test(key);
      if (allowed.startsWith("a whole number") && !isName) expect(unit, key).toBeDefined();
      else expect(unit, key).toBeUndefined();
    }
  });

  it("has examples that are allowed", () => {
    const connection = describeKey(Config, "backend.mqtt_connection").keys ?? [];
    const example = (key: string) => describeKey(Config, key).example;
    const section = (key: string, keys: readonly string[]) =>
      Object.fromEntries(keys.map((name) => [name, example(`${key}.${name}`)]));
    const backend = {
      ...section("backend", ["max_parallel_messages", "max_backlog_rate", "max_drain_time"]),
      provider: "mqtt",
      topics: section("backend.topics", describeKey(Config, "backend.topics").keys ?? []),
      mqtt_connection: section("backend.mqtt_connection", connection),
    };
    const updater = section("updater", describeKey(Config, "updater").keys ?? []);
    delete updater["source_conflict_behaviour"];
    const whole = (key: string) => section(key, describeKey(Config, key).keys ?? []);
    const config = {
      $schema: example("$schema"),
      general: whole("general"),
      logging_verbosity: whole("logging_verbosity"),
      updater: { ...updater, provider: "git" },
      backend,
      dummy_procedure: whole("dummy_procedure"),
      system_checks: whole("system_checks"),
    };
    expect(Config.safeParse(config)).toMatchObject({ success: true });
  });

  it("says what a key may be, what holds without it, and whether it must be there", () => {
    expect(describeKey(Config, "backend.max_drain_time")).toMatchObject({
      allowed: "a whole number from 0 to 7200",
      default: 600,
      required: false,
      unit: "seconds",
    });
    expect(describeKey(Config, "general.system_identifier")).toMatchObject({ required: true });
    expect(describeKey(Config, "general.system_identifier")).not.toHaveProperty("default");
  });

  it.each([
    ["backend.max_drain_tim", "backend.max_drain_time"],
    ["bakend.max_drain_time", "backend"],
    ["general.config_revision.x", "general.config_revision"],
  ])("names the nearest key where there is no %s", (key, nearest) => {
    expect(() => describeKey(Config, key)).toThrow(UnknownKeyError);
    expect(() => describeKey(Config, key)).toThrow(`did you mean ${nearest}?`);
  });
});

describe("two configurations", () => {
  it("are compared key by key, lists and null as a whole", () => {
    const before = { a: { b: 1, c: [1, 2] }, d: null, e: 1 };
    const after = { a: { b: 2, c: [1, 2] }, d: { x: 1 }, f: 3 };
    expect(compareConfigs(before, after)).toEqual([
      { key: "a.b", before: 1, after: 2 },
      { key: "d", before: null, after: { x: 1 } },
      { key: "e", before: 1 },
      { key: "f", after: 3 },
    ]);
  });
});
