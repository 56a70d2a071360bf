import { randomBytes } from "node:crypto";
import { readlinkSync, renameSync, statSync, symlinkSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { isCode, syncFolder } from "@ivy/files";
import type { RootPaths } from "./paths.ts";

/** The two links that are the whole state of the boot. */
export type Pointer = "active" | "lastGood";

/** @returns the name of the generation; `undefined` where the link is missing or leads nowhere */
export function readPointer(paths: RootPaths, pointer: Pointer): string | undefined {
  try {
    const name = basename(readlinkSync(paths[pointer]));
    return statSync(join(paths.generations, name)).isDirectory() ? name : undefined;
  } catch (error) {
    // EINVAL: something that is no link.
    if (isCode(error, "ENOENT", "EINVAL", "ENOTDIR")) return undefined;
    throw error;
  }
}

/**
 * Lets a pointer name another generation: `active` begins a trial, `lastGood` commits it. One rename decides, and it is
 * durable when this returns.
 *
 * @throws the error of the file system call that failed; the pointer is then as it was
 */
export function switchPointer(paths: RootPaths, pointer: Pointer, generation: string): void {
  const draft = join(paths.root, `.${basename(paths[pointer])}.${randomBytes(6).toString("hex")}`);
  symlinkSync(join(relative(paths.root, paths.generations), generation), draft);
  renameSync(draft, paths[pointer]);
  syncFolder(paths.root);
}

/** Lets the CLI pointer, `active`, name a generation: a trial begins, for which this process has to end. */
export function updateCliPointer(paths: RootPaths, generation: string): void {
  switchPointer(paths, "active", generation);
}
