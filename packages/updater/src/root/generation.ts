import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { isCode, syncFolder } from "@ivy/files";
import { configDigest, type ForeignConfig, Version } from "@ivy/types";
import * as z from "zod/mini";
import { UpdateRejectedError } from "../errors.ts";
import { discard } from "./discard.ts";
import { type RootPaths, versionFolder } from "./paths.ts";
import { readPointer } from "./pointers.ts";
import { readRecord, recordText } from "./read-record.ts";
import { readSeal } from "./seal.ts";
import { syncTree } from "./sync-tree.ts";

/** How often an unproven generation is started at most: by itself, and by a machine that lost its power. */
const ATTEMPTS = 3;
const POWER_ATTEMPTS = 10;

/** `gen.json`: what a generation is, and how long it may take to prove that it works. */
const GenerationRecord = z.object({
  schema: z.literal(1),
  revision: z.number(),
  /** Of the configuration, see `configDigest`. */
  digest: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  /** Of the bytes of config.json, for the launcher. */
  configSha256: z.string(),
  version: Version,
  /** The launcher that it needs. */
  launcher: z.number(),
  trialSeconds: z.number(),
  attempts: z.number(),
  powerAttempts: z.number(),
  /** How long procedures must have been up. */
  upSeconds: z.number(),
});

/** A pair of a version and a configuration, as a folder that never changes. */
export interface Generation extends z.infer<typeof GenerationRecord> {
  name: string;
  folder: string;
}

/** What a version's package.json says under `ivy`: paths inside its tree. */
const IvyKey = z.object({
  ivy: z.object({ launcher: z.number(), runtime: z.string(), main: z.string(), cli: z.string() }),
});

export interface GenerationOptions {
  config: ForeignConfig;
  /** A sealed version below the root. */
  version: string;
  trialSeconds: number;
  upSeconds: number;
}

/**
 * Creates a generation, or finds the one that is there; durable when it returns, with the seal of its version.
 *
 * @returns its name
 * @throws UpdateRejectedError where the version is not sealed, does not say how it is started, or needs a newer launcher
 * @throws the error of the file system call that failed (`ENOSPC`, ...); there is no such generation then
 */
export function createGeneration(paths: RootPaths, options: GenerationOptions): string {
  const { revision, digest, name } = identityOf(options);
  const ivy = startOf(paths, options.version);
  mkdirSync(paths.generations, { recursive: true, mode: 0o700 });
  if (readGeneration(paths, name) === undefined) {
    const text = `${JSON.stringify(options.config, undefined, 2)}\n`;
    const { version, trialSeconds, upSeconds } = options;
    const record = {
      schema: 1,
      revision,
      digest,
      configSha256: createHash("sha256").update(text).digest("hex"),
      version,
      launcher: ivy.launcher,
      trialSeconds,
      attempts: ATTEMPTS,
      powerAttempts: POWER_ATTEMPTS,
      upSeconds,
    };
    removeDamaged(paths, name);
    const draft = join(paths.generations, `.draft-${randomBytes(6).toString("hex")}`);
    mkdirSync(draft, { mode: 0o700 });
    writeFileSync(join(draft, "config.json"), text, { mode: 0o600 });
    writeFileSync(join(draft, "gen.json"), recordText(record), { mode: 0o600 });
    symlinkSync(
      relative(join(paths.generations, name), versionFolder(paths, version)),
      join(draft, "version"),
    );
    for (const part of ["runtime", "main", "cli"] as const)
      symlinkSync(join("version", ivy[part]), join(draft, part));
    syncTree(draft);
    renameSync(draft, join(paths.generations, name));
  }
  // What is found here may have been left by a process that died before it was durable, the version's seal included.
  syncTree(paths.generations);
  syncFolder(paths.generations);
  return name;
}

/** @returns `undefined` where there is none of this name, or it is damaged */
export function readGeneration(paths: RootPaths, name: string): Generation | undefined {
  const folder = join(paths.generations, name);
  const record = readRecord(join(folder, "gen.json"), GenerationRecord);
  if (record === undefined || nameOf(record) !== name) return undefined;
  return sha256OfFile(join(folder, "config.json")) === record.configSha256
    ? { name, folder, ...record }
    : undefined;
}

/** The name of the generation of a version and a configuration, whether there is one or not. */
export function generationName(options: Pick<GenerationOptions, "config" | "version">): string {
  return identityOf(options).name;
}

function identityOf({ config, version }: Pick<GenerationOptions, "config" | "version">) {
  const identity = { revision: config.general.config_revision, digest: configDigest(config), version };
  return { ...identity, name: nameOf(identity) };
}

function nameOf({
  revision,
  digest,
  version,
}: {
  revision: number;
  digest: string;
  version: string;
}): string {
  return `${revision}-${digest.slice(0, 12)}-${version}`;
}

function startOf(paths: RootPaths, version: string) {
  const folder = versionFolder(paths, version);
  if (readSeal(folder) === undefined)
    throw rejected("IVY_NOT_SEALED", `${folder} is not sealed; it must be prepared anew`);
  const ivy = readRecord(join(folder, "package.json"), IvyKey)?.ivy;
  if (ivy === undefined) {
    throw rejected(
      "IVY_NO_START",
      `package.json of version ${version} does not say under "ivy" how it is started (launcher, runtime, main, cli)`,
    );
  }
  const launcher = numberOfLauncher(paths);
  if (ivy.launcher > launcher) {
    throw rejected(
      "IVY_OLD_LAUNCHER",
      `Version ${version} needs launcher ${ivy.launcher}, and this node has launcher ${launcher}; run the set-up of the node again`,
    );
  }
  return ivy;
}

/** The launcher may be older than this code: no update touches it. */
function numberOfLauncher({ launcher }: RootPaths): number {
  const text = readFileSync(launcher, "utf8");
  return Number(/^LAUNCHER=(\d+)$/m.exec(text)?.[1] ?? 0);
}

function removeDamaged(paths: RootPaths, name: string): void {
  if (readPointer(paths, "active") === name || readPointer(paths, "lastGood") === name) {
    throw new Error(
      `${join(paths.generations, name)} is damaged and in use; the launcher repairs that at the next start`,
    );
  }
  discard(paths, join(paths.generations, name));
}

function sha256OfFile(file: string): string | undefined {
  try {
    return createHash("sha256").update(readFileSync(file)).digest("hex");
  } catch (error) {
    if (isCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

function rejected(code: string, message: string): UpdateRejectedError {
  return new UpdateRejectedError("seal", code, message);
}
