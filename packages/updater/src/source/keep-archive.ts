import { randomUUID } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { syncFolder } from "@ivy/files";
import type { RootPaths } from "../root/paths.ts";
import { syncTree } from "../root/sync-tree.ts";

/** What may lie beside an archive: see `openArchive`. */
const BESIDE = [".json", ".json.minisig", ".minisig"];

/**
 * Copies the archive of a version, with what was signed of it, to where nobody but this node has it: a stick may be
 * pulled out at any time. The copy survives a power cut; nothing is left of one that fails.
 *
 * @returns the path of the copy
 * @throws what the file system throws
 */
export function keepArchive({ inbox }: Pick<RootPaths, "inbox">, archive: string): string {
  const folder = join(inbox, randomUUID());
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    const copy = join(folder, basename(archive));
    copyFileSync(archive, copy);
    for (const suffix of BESIDE)
      if (existsSync(archive + suffix)) copyFileSync(archive + suffix, copy + suffix);
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
