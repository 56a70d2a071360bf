import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { removeDrafts, replaceFile, syncFolder } from "@ivy/files";
import {
  ConfigError,
  configDigest,
  ForeignConfig,
  loadForeignConfigFromString,
  type PendingConfig,
} from "@ivy/types";
import type { Candidate } from "./next-step.ts";

/**
 * Reads a configuration that waits; what was damaged since it arrived is said, not thrown.
 *
 * @throws what reading throws (`EIO`, `EMFILE`, ...): that says nothing about the configuration
 */
export function readCandidate(configDir: string, pending: PendingConfig): Candidate {
  const { file, digest: arrived, local = false, assigned = false, archive } = pending;
  const known = { file, local, assigned, ...(archive === undefined ? {} : { archive }) };
  const told = { ...known, config: ForeignConfig.parse({ general: pending.general }), digest: arrived };
  try {
    const config = readConfigFile(configDir, file);
    const digest = configDigest(config);
    if (digest === arrived) return { ...known, config, digest };
    return { ...told, damage: `${file} does not hold what arrived (SHA-256 ${digest})` };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { ...told, damage: `${file} cannot be read back: ${error.message}` };
  }
}

/** @throws what reading throws; ConfigError where it is not a configuration */
export function readConfigFile(configDir: string, file: string): ForeignConfig {
  return loadForeignConfigFromString(readFileSync(pathOf(configDir, file), "utf8"), file);
}

/** Name of the file in which a configuration waits. */
export function pendingFileName(revision: number, digest: string): string {
  return `config.${revision}-${digest.slice(0, 12)}.pending.json`;
}

/**
 * Lays a configuration beside the others that wait; returns the name of its file. To be called with the lock of the state
 * held, which has to name it: {@link removeOrphans} removes what the state does not name.
 */
export function writePendingFile(configDir: string, config: ForeignConfig, digest: string): string {
  const file = pendingFileName(config.general.config_revision, digest);
  replaceFile(join(configDir, file), JSON.stringify(config), 0o600);
  return file;
}

export function hasPendingFile(configDir: string, file: string): boolean {
  return existsSync(pathOf(configDir, file));
}

export function removePendingFile(configDir: string, file: string): void {
  rmSync(pathOf(configDir, file), { force: true });
}

/**
 * Removes the files of configurations that nobody waits for: their arrival was cut off, the server sends them again. To be
 * called with the lock of the state held.
 */
export function removeOrphans(configDir: string, awaited: readonly string[]): void {
  removeDrafts(configDir);
  const orphans = readdirSync(configDir).filter(
    (name) => name.endsWith(".pending.json") && !awaited.includes(name),
  );
  for (const name of orphans) rmSync(join(configDir, name), { force: true });
  if (orphans.length > 0) syncFolder(configDir);
}

/** The name comes from the state file, so it is taken as a name only, never as a path. */
function pathOf(configDir: string, file: string): string {
  return join(configDir, basename(file));
}
