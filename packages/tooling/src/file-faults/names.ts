import type { Inode } from "./recording.ts";

/** Files and folders by their paths; the recorded folder itself has the empty path. */
export type Names = Map<string, Inode>;

/** A change of names. */
export type Renaming =
  | { kind: "add"; path: string; inode: Inode }
  | { kind: "link" | "rename"; from: string; to: string }
  | { kind: "remove"; path: string };

export function applyRenaming(names: Names, renaming: Renaming): void {
  switch (renaming.kind) {
    case "add":
      names.set(renaming.path, renaming.inode);
      break;
    case "remove":
      names.delete(renaming.path);
      break;
    case "link":
      names.set(renaming.to, inodeAt(names, renaming.from));
      break;
    case "rename":
      move(names, renaming.from, renaming.to);
      break;
  }
}

/** All that a change of names concerns: the files and folders that it names, and the folders that they lie in. */
export function concernedBy(names: Names, renaming: Renaming): Set<Inode> {
  const paths = "from" in renaming ? [renaming.from, renaming.to] : [renaming.path];
  const found = paths.flatMap((path) => [names.get(folderOf(path)), names.get(path)]);
  return new Set(found.filter((inode) => inode !== undefined));
}

function move(names: Names, from: string, to: string): void {
  const inode = inodeAt(names, from);
  // Of two names of one file none is removed: so POSIX wants it.
  if (names.get(to) === inode) return;
  names.set(to, inode);
  names.delete(from);
  if (!inode.isFolder) return;
  for (const [path, below] of [...names]) {
    if (!path.startsWith(`${from}/`)) continue;
    names.set(`${to}${path.slice(from.length)}`, below);
    names.delete(path);
  }
}

function inodeAt(names: Names, path: string): Inode {
  const inode = names.get(path);
  if (inode === undefined) throw new Error(`The recorder has not seen how ${path} came to be`);
  return inode;
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}
