import { applyRenaming, type Names } from "./names.ts";
import type { Inode, Recording } from "./recording.ts";

const SECTOR_BYTES = 512;

/** What becomes of that which was not synced. Of each range any number may be chosen, both ends included. */
export interface Fate {
  /** How many entries of the journal are kept. */
  journal(least: number, most: number): number;
  /** Called once for each file. */
  file(): FileFate;
}

export interface FileFate {
  /** A sector holds what was written to it before this place of the calls. */
  sector(least: number, most: number): number;
  size(least: number, most: number): number;
}

/** Without a power cut. */
export const nothingLost: Fate = {
  journal: (_, most) => most,
  file: () => ({ sector: (_, most) => most, size: (_, most) => most }),
};

/** Contents of files, and targets of symbolic links, by their paths; a folder has none. */
export type Disk = Map<string, Buffer | { target: string } | undefined>;

/**
 * The folder as a disk may hold it after the power was cut.
 *
 * What was synced is there. Of the journal's other entries the first ones are. Of what else was written, each sector of
 * 512 bytes holds the state after any of the writes to it, and the file has any size between the one that was durable
 * and the one it had.
 *
 * @param at - the place of the calls at which the power is cut: so many of them had returned
 */
export function diskAfterCut({ journal, commits }: Recording, at: number, fate: Fate): Disk {
  const durable = commits.reduce(
    (most, commit) => (commit.at < at ? Math.max(most, commit.entries) : most),
    0,
  );
  const kept = fate.journal(durable, countBefore(journal, at));
  const names: Names = new Map();
  for (const entry of journal.slice(0, kept)) if (entry.kind !== "truncate") applyRenaming(names, entry);
  const contents = new Map(
    [...new Set(names.values())].map((inode) => [inode, contentOf(inode, at, kept, fate.file())]),
  );
  const disk: Disk = new Map();
  for (const [path, inode] of names) {
    if (inode.target !== undefined) disk.set(path, { target: inode.target });
    else disk.set(path, inode.isFolder ? undefined : contents.get(inode));
  }
  return disk;
}

function contentOf({ changes, syncs }: Inode, at: number, kept: number, fate: FileFate): Buffer {
  const durable = syncs.reduce((most, sync) => (sync.at < at ? Math.max(most, sync.covers) : most), 0);
  const content = new Content(durable, at, fate);
  for (const change of changes) {
    if (change.at >= at) break;
    if (change.kind === "write") content.write(change.at, change.offset, change.bytes);
    else content.truncate(change.size, change.journal < kept);
  }
  return content.end();
}

class Content {
  #bytes = Buffer.alloc(4_096);
  /** The sizes that the file may have: from that which is durable to that which it had. */
  #least = 0;
  #most = 0;
  /** Behind a truncation that was not kept, blocks were allocated anew, and that is not kept either. */
  #reachable = Number.POSITIVE_INFINITY;
  readonly #durable: number;
  readonly #at: number;
  readonly #fate: FileFate;
  readonly #sectors = new Map<number, number>();

  /** @param durable - changes before this place of the calls are durable */
  constructor(durable: number, at: number, fate: FileFate) {
    this.#durable = durable;
    this.#at = at;
    this.#fate = fate;
  }

  write(at: number, offset: number, bytes: Buffer): void {
    const end = Math.min(offset + bytes.length, this.#reachable);
    if (end <= offset) return;
    this.#makeRoomFor(end);
    this.#most = Math.max(this.#most, end);
    if (at < this.#durable) {
      this.#least = Math.max(this.#least, end);
      bytes.copy(this.#bytes, offset, 0, end - offset);
      return;
    }
    for (let start = offset; start < end; ) {
      const sector = Math.floor(start / SECTOR_BYTES);
      const stop = Math.min(end, (sector + 1) * SECTOR_BYTES);
      if (at < this.#keptOf(sector)) bytes.copy(this.#bytes, start, start - offset, stop - offset);
      start = stop;
    }
  }

  truncate(size: number, isKept: boolean): void {
    if (!isKept) {
      this.#reachable = Math.min(this.#reachable, size, this.#most);
      return;
    }
    this.#makeRoomFor(size);
    this.#bytes.fill(0, size);
    this.#least = this.#most = size;
  }

  end(): Buffer {
    return this.#bytes.subarray(0, this.#fate.size(this.#least, this.#most));
  }

  #keptOf(sector: number): number {
    const kept = this.#sectors.get(sector) ?? this.#fate.sector(this.#durable, this.#at);
    this.#sectors.set(sector, kept);
    return kept;
  }

  #makeRoomFor(size: number): void {
    if (size <= this.#bytes.length) return;
    const larger = Buffer.alloc(Math.max(size, this.#bytes.length * 2));
    this.#bytes.copy(larger);
    this.#bytes = larger;
  }
}

/** How many entries entered the journal before a place of the calls. */
function countBefore(journal: Recording["journal"], at: number): number {
  const after = journal.findIndex((entry) => entry.at >= at);
  return after < 0 ? journal.length : after;
}
