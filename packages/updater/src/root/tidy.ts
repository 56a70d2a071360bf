import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { StateInterface } from "@ivy/state";
import { Version } from "@ivy/types";
import { isBeingKept } from "../source/keep-archive.ts";
import { attemptEach, discard, emptyTrash } from "./discard.ts";
import { type Generation, readGeneration } from "./generation.ts";
import { type RootPaths, versionFolder } from "./paths.ts";
import { readPointer } from "./pointers.ts";
import { readSeal } from "./seal.ts";

/** Records of trials that are kept besides those of the generations that are. */
const KEPT_TRIALS = 20;

export interface TidyOptions {
  /** Proven versions that are kept besides the one that runs, those of the highest revisions. */
  keptVersions: number;
  /** Name of what is kept where changes are prepared, for what is there is gone on with. */
  keptStage?: string | undefined;
  /** Told why what nobody needs could not be deleted; the next time begins with it. */
  warn: (text: string) => void;
}

/**
 * Deletes versions and generations that nobody needs any more, and what unfinished work has left: each may be as large as
 * a version. To be called by the agent, which runs alone, when nothing is being prepared, or by what is about to prepare.
 * Deletes nothing in a trial, before that is decided. Never fails: whether there is room again must not decide about a change.
 */
export function tidy(paths: RootPaths, options: TidyOptions): void {
  try {
    const unneeded = findUnneeded(paths, options);
    attemptEach(
      [() => attemptEach(unneeded, (path) => discard(paths, path)), () => emptyTrash(paths)],
      (work) => work(),
    );
  } catch (error) {
    options.warn(`what is not needed any more cannot be deleted yet: ${String(error)}`);
  }
}

function findUnneeded(paths: RootPaths, { keptVersions, keptStage }: TidyOptions): string[] {
  const active = readPointer(paths, "active");
  if (active === undefined || active !== readPointer(paths, "lastGood")) {
    throw new Error(`Nothing is deleted below ${paths.root} while active and last-good differ`);
  }
  const kept = keptGenerations(paths, active, keptVersions);
  const versions = new Set(kept.map(({ version }) => version));
  const names = new Set(kept.map(({ name }) => name));
  return [
    ...below(paths.generations, (name) => !names.has(name)),
    ...below(paths.root, (name) => isVersion(name) && !versions.has(name)),
    ...below(paths.stage, (name) => name !== keptStage),
    ...oldTrials(paths, names),
    ...forsakenArchives(paths),
    ...below(paths.root, isPointerDraft),
  ];
}

function below(folder: string, condition: (name: string) => boolean): string[] {
  return list(folder)
    .filter(condition)
    .map((name) => join(folder, name));
}

/** The active one, then one for each version that is kept. */
function keptGenerations(paths: RootPaths, active: string, keptVersions: number): Generation[] {
  const all = list(paths.generations)
    .map((name) => readGeneration(paths, name))
    .filter((generation) => generation !== undefined);
  const running = all.find(({ name }) => name === active);
  // A damaged record of what runs: then nothing is known about what can be spared.
  if (running === undefined)
    throw new Error(`${join(paths.generations, active)} is damaged; nothing is deleted`);
  const others = all
    .filter(
      ({ name, version }) =>
        version !== running.version &&
        isProven(paths, name) &&
        readSeal(versionFolder(paths, version)) !== undefined,
    )
    .sort((a, b) => b.revision - a.revision);
  const newest = others.filter(
    ({ version }, index) => others.findIndex((other) => other.version === version) === index,
  );
  return [running, ...newest.slice(0, keptVersions)];
}

/** The launcher marks what it has started as the last good one. */
function isProven({ trials }: RootPaths, generation: string): boolean {
  return existsSync(join(trials, generation, "proven"));
}

function oldTrials({ trials }: RootPaths, kept: ReadonlySet<string>): string[] {
  const others = list(trials).filter((name) => !kept.has(name));
  return others
    .sort((a, b) => Number.parseInt(b, 10) - Number.parseInt(a, 10))
    .slice(KEPT_TRIALS)
    .map((name) => join(trials, name));
}

/** Copies of archives that no change waits for: it was known already, or whoever asked for it has given up. */
function forsakenArchives({ inbox, data }: RootPaths): string[] {
  const settled = below(inbox, (name) => !isBeingKept(name));
  if (settled.length === 0) return [];
  const { pending_configs } = new StateInterface({ dataDir: data }).load();
  const awaited = new Set(pending_configs.flatMap(({ archive }) => (archive ? [dirname(archive)] : [])));
  return settled.filter((folder) => !awaited.has(folder));
}

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function isVersion(name: string): boolean {
  return Version.safeParse(name).success;
}

function isPointerDraft(name: string): boolean {
  return /^\.(active|last-good)\.[0-9a-zA-Z]+$/.test(name);
}
