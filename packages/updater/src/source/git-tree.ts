import { createHash, type Hash } from "node:crypto";
import { closeSync, openSync, readdirSync, readlinkSync, readSync, statSync } from "node:fs";
import { join } from "node:path";

/** What git knows of a file besides its content: plain, executable, or a symbolic link. */
export type GitMode = "100644" | "100755" | "120000";

interface Blob {
  mode: GitMode;
  id: Buffer;
}

/** A folder as git sees it: names, and what lies below them. Folders without a file do not exist for git. */
export type GitTree = Map<string, Blob | GitTree>;

const CHUNK_BYTES = 64 * 1_024;

/** Begins the id of a file's content, to be updated with `size` bytes. */
export function hashBlob(size: number): Hash {
  return createHash("sha1").update(`blob ${size}\0`);
}

/** Id of a tree: what `git rev-parse COMMIT^{tree}` prints, in 40 hexadecimal digits. */
export function treeId(tree: GitTree): string {
  return hashTree(tree).toString("hex");
}

/** Id of the tree that git would make of a folder, if it took every file in it. */
export function folderTreeId(folder: string): string {
  return treeId(readTree(folder, Buffer.alloc(CHUNK_BYTES)));
}

function hashTree(tree: GitTree): Buffer {
  const entries = [...tree]
    .filter(([, entry]) => !(entry instanceof Map) || entry.size > 0)
    .map(([name, entry]) => ({ name, entry, key: sortKey(name, entry) }))
    .sort((a, b) => Buffer.compare(a.key, b.key));
  const parts = entries.flatMap(({ name, entry }) => {
    const [mode, id] = entry instanceof Map ? ["40000", hashTree(entry)] : [entry.mode, entry.id];
    return [Buffer.from(`${mode} ${name}\0`), id];
  });
  const content = Buffer.concat(parts);
  return createHash("sha1").update(`tree ${content.length}\0`).update(content).digest();
}

/** Git sorts by bytes, and folders as if their names ended in a slash. */
function sortKey(name: string, entry: Blob | GitTree): Buffer {
  return Buffer.from(entry instanceof Map ? `${name}/` : name);
}

function readTree(folder: string, buffer: Buffer): GitTree {
  const tree: GitTree = new Map();
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      const below = readTree(path, buffer);
      if (below.size > 0) tree.set(entry.name, below);
    } else if (entry.isSymbolicLink()) {
      const target = readlinkSync(path, "buffer");
      tree.set(entry.name, { mode: "120000", id: hashBlob(target.length).update(target).digest() });
    } else {
      tree.set(entry.name, readBlob(path, buffer));
    }
  }
  return tree;
}

function readBlob(path: string, buffer: Buffer): Blob {
  const { size, mode } = statSync(path);
  const hash = hashBlob(size);
  const descriptor = openSync(path, "r");
  try {
    for (let read = readSync(descriptor, buffer); read > 0; read = readSync(descriptor, buffer)) {
      hash.update(buffer.subarray(0, read));
    }
  } finally {
    closeSync(descriptor);
  }
  return { mode: (mode & 0o100) === 0 ? "100644" : "100755", id: hash.digest() };
}
