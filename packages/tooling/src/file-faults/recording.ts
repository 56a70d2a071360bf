import type { Call } from "./calls.ts";
import { applyRenaming, concernedBy, type Names, type Renaming } from "./names.ts";

/** A change of a file's content, with its place among all calls. */
export type Change =
  | { at: number; kind: "write"; offset: number; bytes: Buffer }
  /** `journal`: its place in the journal. */
  | { at: number; kind: "truncate"; size: number; journal: number };

/** How much of the journal syncing a file commits from one place of the calls on. */
interface Reach {
  at: number;
  fsync: number;
  fdatasync: number;
}

/** A file or folder as an object of the disk, whatever its names. */
export interface Inode {
  isFolder: boolean;
  /** Of a symbolic link. */
  target?: string;
  changes: Change[];
  /** At one place of the calls, all changes before another became durable. */
  syncs: { at: number; covers: number }[];
  reaches: Reach[];
  size: number;
}

/** Names change in the order of the journal; a size that is set is kept with its file and has but its place here. */
export type JournalEntry = { at: number } & (Renaming | { kind: "truncate" });

/** What programs did to a folder that was empty at first, ordered by what it means to a disk. */
export interface Recording {
  /** How many calls were recorded. */
  length: number;
  journal: JournalEntry[];
  /** At a place of the calls, so many entries of the journal became durable. */
  commits: { at: number; entries: number }[];
  /** What lay where in the end. */
  names: ReadonlyMap<string, Inode>;
}

/**
 * Orders calls by what they mean to a disk. The rules are those of ext4 (ordered data, delayed allocation), without
 * what it does only out of kindness (it writes out a file that is renamed over another):
 *
 * - Changes of names, and sizes that are set, enter one journal, which is committed in its order.
 * - `fsync` of a file or folder commits the journal up to the last entry that concerns it, so a file's own sync makes
 *   its creation durable. `fdatasync` does the same but for names that were changed later.
 * - `syncfs` does it for everything.
 * - A file that grows by a write has its new size committed with it, and so what entered the journal before the write.
 */
export function readRecording(calls: readonly Call[]): Recording {
  const reader = new Reader();
  for (const [at, call] of calls.entries()) reader.read(at, call);
  const { journal, commits, names } = reader;
  return { length: calls.length, journal, commits, names };
}

class Reader {
  readonly journal: JournalEntry[] = [];
  readonly commits: { at: number; entries: number }[] = [];
  readonly #root = createInode(true);
  readonly names: Names = new Map([["", this.#root]]);
  /** By the number that they have at the moment: it is given anew after a removal. */
  readonly #inodes = new Map<number, Inode>();
  readonly #all: Inode[] = [];

  read(at: number, call: Call): void {
    switch (call.kind) {
      case "create":
      case "mkdir":
        this.#create(at, call.inode, call.path, call.kind === "mkdir");
        break;
      case "write":
        this.#write(at, this.#inode(call.inode), call.offset, call.bytes);
        break;
      case "truncate":
        this.#truncate(at, this.#inode(call.inode), call.size);
        break;
      case "fsync":
      case "fdatasync":
        this.#sync(at, call.inode, call.kind, call.begun);
        break;
      case "rename":
      case "link":
        this.#rename(at, call);
        break;
      case "symlink":
        this.#rename(at, {
          kind: "add",
          path: call.path,
          inode: { ...createInode(false), target: call.target },
        });
        break;
      case "syncfs":
        this.#syncAll(at, call.begun);
        break;
      case "unlink":
      case "rmdir":
        this.#rename(at, { kind: "remove", path: call.path });
        break;
    }
  }

  #create(at: number, number: number, path: string, isFolder: boolean): void {
    const inode = createInode(isFolder);
    this.#inodes.set(number, inode);
    this.#all.push(inode);
    this.#rename(at, { kind: "add", path, inode });
    this.#reach(at, inode, "fsync", "fdatasync");
  }

  #write(at: number, inode: Inode, offset: number, bytes: Buffer): void {
    inode.changes.push({ at, kind: "write", offset, bytes });
    const end = offset + bytes.length;
    if (end <= inode.size) return;
    inode.size = end;
    this.#reach(at, inode, "fsync", "fdatasync");
  }

  #truncate(at: number, inode: Inode, size: number): void {
    inode.changes.push({ at, kind: "truncate", size, journal: this.journal.length });
    inode.size = size;
    this.journal.push({ at, kind: "truncate" });
    this.#reach(at, inode, "fsync", "fdatasync");
  }

  #sync(at: number, number: number, kind: "fsync" | "fdatasync", covers: number): void {
    // The recorded folder itself was there before.
    const inode = this.#inodes.get(number) ?? this.#root;
    inode.syncs.push({ at, covers });
    const reach = inode.reaches.findLast((earlier) => earlier.at < covers);
    if (reach !== undefined) this.commits.push({ at, entries: reach[kind] });
  }

  #syncAll(at: number, covers: number): void {
    for (const inode of this.#all) inode.syncs.push({ at, covers });
    this.commits.push({ at, entries: this.journal.filter((entry) => entry.at < covers).length });
  }

  #rename(at: number, renaming: Renaming): void {
    const concerned = concernedBy(this.names, renaming);
    applyRenaming(this.names, renaming);
    this.journal.push({ at, ...renaming });
    for (const inode of concerned) this.#reach(at, inode, "fsync");
  }

  /** From now on, syncing this file commits the journal as it is. */
  #reach(at: number, inode: Inode, ...kinds: ("fsync" | "fdatasync")[]): void {
    const reach = { fsync: 0, fdatasync: 0, ...inode.reaches.at(-1), at };
    for (const kind of kinds) reach[kind] = this.journal.length;
    inode.reaches.push(reach);
  }

  #inode(number: number): Inode {
    const inode = this.#inodes.get(number);
    if (inode === undefined) throw new Error(`The recorder has not seen how inode ${number} came to be`);
    return inode;
  }
}

function createInode(isFolder: boolean): Inode {
  return { isFolder, changes: [], syncs: [], reaches: [], size: 0 };
}
