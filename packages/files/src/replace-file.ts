import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Replaces a file so that a power cut at any instruction leaves the old content or the new, never a mixture:
 * write beside it, sync, rename over it, sync the folder.
 *
 * @param file - path of the file; its folder must exist
 * @param content - the whole new content
 * @param mode - permission bits of the new file; 0o600 for whatever holds a secret
 * @throws the error of the file system call that failed (`ENOSPC`, `EROFS`, ...); the old file is then untouched
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
