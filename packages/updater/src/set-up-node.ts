import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isCode, replaceFile, syncFolder } from "@ivy/files";
import type { ForeignConfig } from "@ivy/types";
import { createGeneration } from "./root/generation.ts";
import { type RootPaths, versionFolder } from "./root/paths.ts";
import { readPointer, switchPointer } from "./root/pointers.ts";
import { readSeal, sealVersion } from "./root/seal.ts";

export interface SetUpOptions {
  paths: RootPaths;
  /** A version whose tree lies below the root, with its dependencies and built. */
  version: string;
  config: ForeignConfig;
  /** How long a trial of this generation would take, should it ever be one, in seconds. */
  trialSeconds: number;
  /** How long procedures must then have been up, in seconds. */
  upSeconds: number;
  /** Proves that the version can run with the configuration in this file. */
  prove: (configFile: string) => Promise<unknown>;
}

/**
 * Makes the first generation of a root what is started: proves its version, seals it, and lets both pointers name it.
 * Whatever of it has been done already is left as it is, so a set-up that was cut off goes on.
 *
 * @throws what `prove` throws, and UpdateRejectedError for what cannot be in a version
 */
export async function setUpNode(options: SetUpOptions): Promise<void> {
  const { paths, version, config, trialSeconds, upSeconds, prove } = options;
  await withConfigFile(paths, config, prove);
  const folder = versionFolder(paths, version);
  if (readSeal(folder) === undefined) await sealVersion(folder, { version, txid: "set-up" });
  const generation = createGeneration(paths, { config, version, trialSeconds, upSeconds });
  // Without the first of them there would be nothing that the launcher could repair the other one to.
  switchPointer(paths, "lastGood", generation);
  switchPointer(paths, "active", generation);
}

/** Whether both pointers of a root name something to start. */
export function isSetUp(paths: RootPaths): boolean {
  return readPointer(paths, "active") !== undefined && readPointer(paths, "lastGood") !== undefined;
}

/** Lays out what belongs to no version: the launcher, and the folders of the node. */
export function layOutRoot(paths: RootPaths, launcher: string): void {
  for (const folder of [paths.config, paths.data, paths.generations, paths.trials]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
  const text = readFileSync(launcher, "utf8");
  if (readIfThere(paths.launcher) !== text) replaceFile(paths.launcher, text, 0o755);
  syncFolder(paths.root);
}

async function withConfigFile(
  { stage }: RootPaths,
  config: ForeignConfig,
  use: (file: string) => Promise<unknown>,
): Promise<void> {
  const folder = join(stage, "set-up");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    const file = join(folder, "config.json");
    writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
    await use(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (isCode(error, "ENOENT")) return undefined;
    throw error;
  }
}
