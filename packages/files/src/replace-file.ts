import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

/** What is written beside a file before it takes its place: the name holds the process that writes it. */
const DRAFT = /\.(\d+)-[a-z0-9]*\.tmp$/;

/**
 * Replaces a file so that a power cut at any instruction leaves the old content or the new, never a mixture:
 * write beside it, sync, rename over it, sync the folder.
 *
 * @param file - path of the file; its folder must exist
 * @param content - the whole new content
 * @param mode - permission bits of the new file; 0o600 for whatever holds a secret
 * @throws the error of the file system call that failed (`ENOSPC`, `EROFS`, ...); the old file is then untouched, unless it
 * is the sync of the folder that failed: then the new one is there, and a power cut may still bring back the old
 */
export function replaceFile(file: string, content: string | Uint8Array, mode = 0o644): void {
  // Whoever draws the same name fails; node:crypto would take a MB to load.
  const draft = `${file}.${process.pid}-${Math.random().toString(36).slice(2, 10)}.tmp`;
  try {
    writeSynced(draft, content, mode);
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
  syncFolder(dirname(file));
}

/**
 * Removes from a folder what processes that were killed within {@link replaceFile} have left there: no one else does, and
 * it holds whatever the file was to hold, secrets too. For whoever owns the folder, at its start.
 */
export function removeDrafts(folder: string): void {
  for (const name of readdirSync(folder)) {
    const process = DRAFT.exec(name)?.[1];
    if (process !== undefined && !existsSync(`/proc/${process}`)) rmSync(join(folder, name), { force: true });
  }
}

/** Makes the names in a folder (a file created, renamed or removed there) survive a power cut. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function writeSynced(file: string, content: string | Uint8Array, mode: number): void {
  const descriptor = openSync(file, "wx", mode);
  try {
    writeFileSync(descriptor, content);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
