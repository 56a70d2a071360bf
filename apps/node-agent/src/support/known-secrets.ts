import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseEnv } from "node:util";
import { secretsOf } from "@ivy/types";
import { AgentConfig } from "../agent-config.ts";

/** Where the secrets of a node lie. */
export interface SecretPlaces {
  configFile: string;
  /** Environment files, keys, and configurations that wait. */
  configDir: string;
  /** Folder of all versions, where there are generations. */
  root: string;
  /** Has an environment file beside it. */
  projectDir: string;
}

/** Everything on a node that must not leave it, as far as it can be known. */
export function knownSecrets({ configFile, configDir, root, projectDir }: SecretPlaces): string[] {
  const configs = [configFile, ...jsonFilesIn(configDir), ...generationConfigs(root)].flatMap(
    secretsOfConfig,
  );
  const environment = [join(configDir, ".env"), join(projectDir, "../.env")].flatMap(secretsOfEnvironment);
  const keys = filesIn(configDir).flatMap(secretsOfKey);
  return [...new Set([...configs, ...environment, ...keys])];
}

function generationConfigs(root: string): string[] {
  const folder = join(root, ".ivy/gen");
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name, "config.json")) : [];
}

function secretsOfConfig(file: string): string[] {
  const text = read(file);
  if (text === undefined) return [];
  try {
    const config: unknown = JSON.parse(text);
    return [...secretsOf(config, AgentConfig), ...secretsOf(config), ...keyNamedIn(config, file)];
  } catch {
    return secretsInBrokenJson(text);
  }
}

/** A private key may lie anywhere; relative paths are relative to the configuration. */
function keyNamedIn(config: unknown, file: string): string[] {
  const named = (config as Partial<AgentConfig> | null)?.backend?.mqtt_connection?.tls?.key_file;
  return typeof named === "string" ? secretsOfKey(resolve(file, "..", named)) : [];
}

/** By the names of keys, for the text cannot be read otherwise. */
const NAMED_SECRET = /"[^"]*(?:pass|token|secret|key|credential|user)[^"]*"\s*:\s*"((?:[^"\\\n]|\\.)*)/gi;

function secretsInBrokenJson(text: string): string[] {
  return [...text.matchAll(NAMED_SECRET)].flatMap(([, raw = ""]) => {
    try {
      return [raw, JSON.parse(`"${raw}"`) as string];
    } catch {
      return [raw];
    }
  });
}

/** What is only of Ivy is no secret: folders and the like. */
function secretsOfEnvironment(file: string): string[] {
  const text = read(file);
  if (text === undefined) return [];
  return Object.entries(parseEnv(text)).flatMap(([name, value]) =>
    name.startsWith("IVY_") || value === undefined ? [] : [value],
  );
}

/** The lines of a private key: text that shows one may show a part of it. */
function secretsOfKey(file: string): string[] {
  const text = read(file);
  if (text === undefined || !/PRIVATE KEY|secret key/.test(text)) return [];
  const SHORTEST_LINE = 16;
  return text
    .split(/\r?\n/)
    .filter((line) => line.length >= SHORTEST_LINE && !/^-----|^untrusted/.test(line));
}

function jsonFilesIn(folder: string): string[] {
  return filesIn(folder).filter((file) => file.endsWith(".json") && !file.endsWith(".schema.json"));
}

function filesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

/** Nothing of what is no small file that can be read. */
function read(file: string): string | undefined {
  const LARGEST = 1_024 ** 2;
  try {
    const about = statSync(file);
    return about.isFile() && about.size <= LARGEST ? readFileSync(file, "utf8") : undefined;
  } catch {
    return undefined;
  }
}
