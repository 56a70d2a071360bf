import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** The root of this code base. */
export const PROJECT_DIR = resolve(import.meta.dirname, "../../..");

/** The generation that the launcher of a node has started; there is none in a checkout. */
export const GENERATION = process.env["IVY_GENERATION"];

/** Name of this software; the folder of a node in the field is called after it. */
export const NAME = "ivy";

/** Root of a node in the field, unless `IVY_ROOT_DIR` says otherwise. */
export const DEFAULT_ROOT_DIR = join(homedir(), "Documents", NAME);

/** Where `.env`, certificates and configurations lie that wait; in a checkout, the configuration in force and its template too. */
export const CONFIG_DIR = join(GENERATION === undefined ? PROJECT_DIR : rootDir(), "config");

/** The configuration in force. */
export const CONFIG_FILE = join(GENERATION ?? CONFIG_DIR, "config.json");

// What is set already wins, so the file with priority comes first and the environment itself before both.
for (const file of [join(CONFIG_DIR, ".env"), join(PROJECT_DIR, "../.env")]) {
  if (existsSync(file)) process.loadEnvFile(file);
}

/** Root of a node in the field: its versions lie below it. */
export const ROOT_DIR = rootDir();

/** Version of this software. */
export const VERSION: string = JSON.parse(readFileSync(join(PROJECT_DIR, "package.json"), "utf8")).version;

/**
 * Where everything lies that the agent writes; belongs to no version when `IVY_DATA_DIR` says where. Below the root of this
 * code base where that is relative, from whatever folder it is asked for.
 */
export const DATA_DIR = resolve(PROJECT_DIR, process.env["IVY_DATA_DIR"] || "data");

/** Held by the main loop for as long as it lives. */
export const LOCK_FILE = join(DATA_DIR, "run.lock");

/** The launcher of a node names it in the environment; a checkout may in its `.env`. */
function rootDir(): string {
  return process.env["IVY_ROOT_DIR"] ?? DEFAULT_ROOT_DIR;
}
