import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { isCode, syncFolder } from "@ivy/files";
import type { RootPaths } from "./paths.ts";

/** Takes a name away from whatever has it, at once; what had it is deleted by {@link emptyTrash}. */
export function discard({ trash }: RootPaths, path: string): void {
  mkdirSync(trash, { recursive: true, mode: 0o700 });
  try {
    renameSync(path, join(trash, `${randomBytes(6).toString("hex")}-${basename(path)}`));
  } catch (error) {
    if (!isCode(error, "ENOENT")) throw error;
  }
}

/**
 * Deletes what was discarded, once it is durable that nothing has a name that counts. The folder itself stays: there may
 * be no room for a new one when next something is to be thrown away.
 */
export function emptyTrash({ trash, root, generations, trials }: RootPaths): void {
  const names = existsSync(trash) ? readdirSync(trash) : [];
  if (names.length === 0) return;
  for (const folder of [root, generations, trials]) if (existsSync(folder)) syncFolder(folder);
  for (const name of names) rmSync(join(trash, name), { recursive: true });
}
