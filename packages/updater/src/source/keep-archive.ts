import { randomUUID } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { syncFolder } from "@ivy/files";
import { bootTime } from "../change/boot-clock.ts";
import type { RootPaths } from "../root/paths.ts";
import { syncTree } from "../root/sync-tree.ts";

/** What may lie beside an archive: see `openArchive`. */
const BESIDE = [".json", ".json.minisig", ".minisig"];

/** For how long nobody takes a copy for forsaken, in milliseconds: then it is known in the state which change it is for. */
const UNDER_WAY_MS = 3_600_000;

/**
 * Copies the archive of a version, with what was signed of it, to where nobody but this node has it: a stick may be
 * pulled out at any time. The copy survives a power cut; nothing is left of one that fails.
 *
 * @returns the path of the copy
 * @throws what the file system throws
 */
export function keepArchive(paths: Pick<RootPaths, "inbox">, archive: string): string {
  return keepIn(paths, basename(archive), (copy) => {
    copyFileSync(archive, copy);
    for (const suffix of BESIDE)
      if (existsSync(archive + suffix)) copyFileSync(archive + suffix, copy + suffix);
  });
}

/**
 * Moves an archive that nobody else needs, and that lies on the disk of the root, to where {@link keepArchive} copies others.
 *
 * @returns its path there
 * @throws what the file system throws
 */
export function takeArchive(paths: Pick<RootPaths, "inbox">, archive: string): string {
  return keepIn(paths, "package.tar.gz", (kept) => renameSync(archive, kept));
}

function keepIn({ inbox }: Pick<RootPaths, "inbox">, name: string, fill: (kept: string) => void): string {
  const { bootId, ms } = bootTime();
  const folder = join(inbox, `${bootId}.${ms}.${randomUUID()}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    const copy = join(folder, name);
    fill(copy);
    syncTree(folder);
    syncFolder(inbox);
    return copy;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Whether an archive is such a copy. */
export function isKept({ inbox }: Pick<RootPaths, "inbox">, archive: string): boolean {
  return dirname(dirname(archive)) === inbox;
}

/** Whether a folder of the inbox, by its name, may be of somebody who copies just now. */
export function isBeingKept(name: string): boolean {
  const now = bootTime();
  const [bootId, ms] = name.split(".");
  return bootId === now.bootId && now.ms - Number(ms) < UNDER_WAY_MS;
}
