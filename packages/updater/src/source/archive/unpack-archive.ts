import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { type ReadArchiveOptions, readArchive } from "./read-archive.ts";

/**
 * Writes the files of an archive below a folder that does not exist yet. Names and kinds are those that
 * {@link readArchive} lets through, and nothing is ever written over.
 */
export async function unpackArchive(options: ReadArchiveOptions, folder: string): Promise<void> {
  mkdirSync(folder);
  let known = folder;
  let descriptor: number | undefined;
  const close = () => {
    if (descriptor !== undefined) closeSync(descriptor);
    descriptor = undefined;
  };
  try {
    await readArchive(options, ({ parts, executable }) => {
      const path = join(folder, ...parts);
      if (dirname(path) !== known) mkdirSync(dirname(path), { recursive: true });
      known = dirname(path);
      // Permissions as git means them, whatever the archive says.
      const opened = openSync(path, "wx", executable ? 0o755 : 0o644);
      descriptor = opened;
      return { write: (chunk) => writeAll(opened, chunk), end: close };
    });
  } finally {
    close();
  }
}

function writeAll(descriptor: number, chunk: Uint8Array): void {
  for (let done = 0; done < chunk.length; ) done += writeSync(descriptor, chunk, done);
}
