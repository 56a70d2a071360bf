import { statfsSync } from "node:fs";
import { join } from "node:path";
import { UpdateDeferredError } from "../errors.ts";
import type { RootPaths } from "../root/paths.ts";
import { readSeal } from "../root/seal.ts";

/** What a version takes, as long as none is installed from which it could be known. */
const USUAL_TREE = { bytes: 650_000_000, files: 12_000 };

/** What must be left for messages and logs whatever an update takes. */
const RESERVE = { bytes: 200_000_000, files: 2_000 };

/**
 * Checks that there is room for another version: its tree, what the store may grow by, and a reserve for what the node
 * measures meanwhile.
 *
 * @throws UpdateDeferredError `IVY_NO_ROOM`, which names what is free and what is needed
 */
export function checkRoom({ root, active }: Pick<RootPaths, "root" | "active">, reserve = RESERVE): void {
  const tree = readSeal(join(active, "version")) ?? USUAL_TREE;
  const { bavail, bsize, files, ffree } = statfsSync(root);
  const wanted = 2 * tree.bytes + reserve.bytes;
  const free = bavail * bsize;
  if (free < wanted) throw noRoom(root, `${megabytes(free)} are free, and ${megabytes(wanted)} are needed`);
  const wantedFiles = 2 * tree.files + reserve.files;
  // Some file systems have no fixed number of files, and then say 0.
  if (files > 0 && ffree < wantedFiles)
    throw noRoom(root, `there is room for ${ffree} files, and ${wantedFiles} are needed`);
}

function noRoom(root: string, what: string): UpdateDeferredError {
  const message = `There is too little room below ${root} for another version: ${what}`;
  return new UpdateDeferredError("check", "IVY_NO_ROOM", message);
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
