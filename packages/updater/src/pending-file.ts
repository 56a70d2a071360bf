import { readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { syncFolder } from "@ivy/files";
import { configDigest, ForeignConfig, loadForeignConfigFromString, type PendingConfig } from "@ivy/types";
import type { Candidate } from "./next-step.ts";

/** Reads a configuration that waits; what was damaged since it arrived is said, not thrown. */
export function readCandidate(configDir: string, pending: PendingConfig): Candidate {
  const known = { config: ForeignConfig.parse({ general: pending.general }), digest: pending.digest };
  try {
    const config = loadForeignConfigFromString(
      readFileSync(pathOf(configDir, pending.file), "utf8"),
      pending.file,
    );
    const digest = configDigest(config);
    if (digest === pending.digest) return { config, digest };
    return { ...known, damage: `${pending.file} does not hold what arrived (SHA-256 ${digest})` };
  } catch (error) {
    return { ...known, damage: `${pending.file} cannot be read back: ${(error as Error).message}` };
  }
}

export function removePendingFile(configDir: string, pending: PendingConfig): void {
  rmSync(pathOf(configDir, pending.file), { force: true });
}

/** Removes the files of configurations that nobody waits for: their arrival was cut off, the server sends them again. */
export function removeOrphans(configDir: string, pending: readonly PendingConfig[]): void {
  const awaited = new Set(pending.map(({ file }) => file));
  const orphans = readdirSync(configDir).filter(
    (name) => name.endsWith(".pending.json") && !awaited.has(name),
  );
  for (const name of orphans) rmSync(join(configDir, name), { force: true });
  if (orphans.length > 0) syncFolder(configDir);
}

/** The name comes from the state file, so it is taken as a name only, never as a path. */
function pathOf(configDir: string, file: string): string {
  return join(configDir, basename(file));
}
