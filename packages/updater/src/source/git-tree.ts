import { createHash, type Hash } from "node:crypto";
import { open, readdir, readlink } from "node:fs/promises";
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
export async function folderTreeId(folder: string): Promise<string> {
  return treeId(await readTree(folder, Buffer.alloc(CHUNK_BYTES)));
}

function hashTree(tree: GitTree): Buffer {
  const entries = [...tree]
    .filter(([, entry]) => !(entry instanceof Map) || hasFile(entry))
    .map(([name, entry]) => ({ name, entry, key: sortKey(name, entry) }))
    .sort((a, b) => Buffer.compare(a.key, b.key));
  const parts = entries.flatMap(({ name, entry }) => {
    const [mode, id] = entry instanceof Map ? ["40000", hashTree(entry)] : [entry.mode, entry.id];
    return [Buffer.from(`${mode} ${name}\0`), id];
  });
  const content = Buffer.concat(parts);
  return createHash("sha1").update(`tree ${content.length}\0`).update(content).digest();
}

function hasFile(tree: GitTree): boolean {
  return [...tree.values()].some((entry) => !(entry instanceof Map) || hasFile(entry));
}

/** Git sorts by bytes, and folders as if their names ended in a slash. */
function sortKey(name: string, entry: Blob | GitTree): Buffer {
  return Buffer.from(entry instanceof Map ? `${name}/` : name);
}

async function readTree(folder: string, buffer: Buffer): Promise<GitTree> {
  const tree: GitTree = new Map();
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      tree.set(entry.name, await readTree(path, buffer));
    } else if (entry.isSymbolicLink()) {
      const target = await readlink(path, "buffer");
      tree.set(entry.name, { mode: "120000", id: hashBlob(target.length).update(target).digest() });
    } else {
      tree.set(entry.name, await readBlob(path, buffer));
    }
  }
  return tree;
}

async function readBlob(path: string, buffer: Buffer): Promise<Blob> {
  await using file = await open(path);
  const { size, mode } = await file.stat();
  const hash = hashBlob(size);
  for (;;) {
    const { bytesRead } = await file.read(buffer);
    if (bytesRead === 0) break;
    hash.update(buffer.subarray(0, bytesRead));
  }
  return { mode: (mode & 0o100) === 0 ? "100644" : "100755", id: hash.digest() };
}
