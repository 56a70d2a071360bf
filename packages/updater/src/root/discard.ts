import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { isCode, syncFolder } from "@ivy/files";
import type { RootPaths } from "./paths.ts";

/** Takes a name away from whatever has it, at once; what had it is deleted by {@link emptyTrash}. */
export function discard({ trash }: RootPaths, path: string): void {
  mkdirSync(trash, { recursive: true, mode: 0o700 });
  try {
    withRights(path, () =>
      renameSync(path, join(trash, `${randomBytes(6).toString("hex")}-${basename(path)}`)),
    );
  } catch (error) {
    if (!isCode(error, "ENOENT")) throw error;
  }
}

/**
 * Deletes what was discarded, once it is durable that nothing has a name that counts. The folder itself stays: there may
 * be no room for a new one when next something is to be thrown away.
 *
 * @throws the first error, when everything that can be deleted is
 */
export function emptyTrash({ trash, root, generations, trials }: RootPaths): void {
  const names = existsSync(trash) ? readdirSync(trash) : [];
  if (names.length === 0) return;
  for (const folder of [root, generations, trials]) if (existsSync(folder)) syncFolder(folder);
  attemptEach(names, (name) => {
    const path = join(trash, name);
    withRights(path, () => rmSync(path, { recursive: true }));
  });
}

/**
 * Does something with each, whatever becomes of the others.
 *
 * @throws the first error, at the end
 */
export function attemptEach<Item>(items: Iterable<Item>, work: (item: Item) => void): void {
  const errors: unknown[] = [];
  for (const item of items) {
    try {
      work(item);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

/** A build may have left folders that nothing can be moved or deleted in. */
function withRights(path: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!isCode(error, "EACCES")) throw error;
    makeWritable(path);
    work();
  }
}

function makeWritable(path: string): void {
  const stats = lstatSync(path);
  if (!stats.isDirectory()) return;
  chmodSync(path, stats.mode | 0o700);
  for (const name of readdirSync(path)) makeWritable(join(path, name));
}
