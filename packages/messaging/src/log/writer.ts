import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  openSync,
  readSync,
  statSync,
  writeSync,
} from "node:fs";
import { StoreWriteError } from "../store-error.ts";
import type { LogFolder } from "./folder.ts";
import type { Lane } from "./place.ts";

const MS_PER_DAY = 86_400_000;
const LINE_FEED = 0x0a;

/** How long a writer goes on in a file before it looks whether there is a newer one, in milliseconds. */
const LOOK_AGAIN_MS = 1_000;

/** A disk that takes less than this is synced in place: handing that to a thread takes as long. In milliseconds. */
const QUICK_SYNC_MS = 1;
/** More than this it never takes as quickly, in bytes. */
const QUICK_SYNC_BYTES = 256 * 1024;

const syncData = (descriptor: number) =>
  new Promise<void>((resolve, reject) => {
    fdatasync(descriptor, (error) => (error === null ? resolve() : reject(error)));
  });

interface OpenFile {
  path: string;
  descriptor: number;
  day: number;
  /** When it was last known to be the one to append to, on the monotonic clock. */
  checkedAt: number;
}

/**
 * Appends lines to one lane of the log, each with one `write()` on a descriptor opened with O_APPEND: the kernel keeps the lines
 * of several processes whole and apart, so no lock is needed.
 */
export class LogWriter {
  readonly #folder: LogFolder;
  readonly #lane: Lane;
  readonly #now: () => number;
  readonly #lost: (path: string) => void;
  #file: OpenFile | undefined;
  /** The file ends in the middle of a line, so the next one starts with a line feed. */
  #torn = false;
  /** Bytes that may not be on the disk yet. */
  #unsynced = 0;
  #bytes = 0;
  #lastSyncMs = 0;
  #syncing: Promise<unknown> = Promise.resolve();
  /** The sync of files that were left because they are full, as long as it is under way or its failure is not told. */
  #leaving: Promise<void> | undefined;

  /** @param lost - told of a file that was deleted or moved while it was appended to */
  constructor(
    folder: LogFolder,
    lane: Lane,
    now: () => number,
    lost: (path: string) => void = () => undefined,
  ) {
    this.#folder = folder;
    this.#lane = lane;
    this.#now = now;
    this.#lost = lost;
  }

  /** How much has been written since this process was started, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The file that is appended to at this moment. */
  get path(): string {
    return this.#open().path;
  }

  /**
   * @param length - only so many bytes of the lines
   * @returns how many bytes of the lines are written: fewer than there are where the disk became full meanwhile
   * @throws StoreWriteError when the disk is full or broken; nothing is written then
   */
  append(lines: Uint8Array, length = lines.length): number {
    try {
      const { descriptor } = this.#open();
      const written = this.#torn
        ? writeSync(descriptor, Buffer.concat([Buffer.of(LINE_FEED), lines.subarray(0, length)])) - 1
        : writeSync(descriptor, lines, 0, length);
      this.#unsynced += length;
      this.#bytes += written;
      this.#torn = written < length;
      return Math.max(0, written);
    } catch (error) {
      throw new StoreWriteError(this.#file?.path ?? this.#folder.path, error);
    }
  }

  /** Resolves once everything appended before is on the disk. */
  async sync(): Promise<void> {
    while (this.#leaving !== undefined) await this.#haveLeft(this.#leaving);
    const file = this.#file;
    const bytes = this.#unsynced;
    if (file === undefined || bytes === 0) return;
    this.#unsynced = 0;
    const begin = performance.now();
    try {
      if (this.#lastSyncMs < QUICK_SYNC_MS && bytes < QUICK_SYNC_BYTES) {
        fdatasyncSync(file.descriptor);
      } else {
        const syncing = syncData(file.descriptor);
        this.#syncing = syncing.catch(() => undefined);
        await syncing;
      }
    } catch (error) {
      this.#unsynced += bytes;
      throw new StoreWriteError(file.path, error);
    }
    this.#lastSyncMs = performance.now() - begin;
  }

  /** The same for what was appended last, without the event loop. */
  syncNow(): void {
    if (this.#file === undefined || this.#unsynced === 0) return;
    try {
      fdatasyncSync(this.#file.descriptor);
    } catch (error) {
      throw new StoreWriteError(this.#file.path, error);
    }
    this.#unsynced = 0;
  }

  close(): void {
    try {
      this.syncNow();
    } finally {
      this.#leave();
    }
  }

  /**
   * Closes the file, once it is synced if need be. That is done in passing: a full file may hold so much that the adding
   * of the next message would take long.
   */
  #leave(): void {
    if (this.#file === undefined) return;
    const synced = this.#unsynced === 0;
    const left = closeSynced(this.#file, this.#syncing, synced);
    this.#file = undefined;
    this.#unsynced = 0;
    const leaving = Promise.all([this.#leaving, left]).then(() => {
      if (this.#leaving === leaving) this.#leaving = undefined;
    });
    // Told to whoever asks for a sync next.
    leaving.catch(() => undefined);
    this.#leaving = leaving;
  }

  async #haveLeft(leaving: Promise<void>): Promise<void> {
    try {
      await leaving;
    } catch (error) {
      if (this.#leaving === leaving) this.#leaving = undefined;
      throw error;
    }
  }

  #open(): OpenFile {
    const now = this.#now();
    const day = Math.floor(now / MS_PER_DAY);
    const checkedAt = performance.now();
    if (this.#file?.day === day && checkedAt - this.#file.checkedAt < LOOK_AGAIN_MS) return this.#file;
    const { path } = this.#folder.fileToAppend(this.#lane, now);
    const file = this.#file;
    const isLost = file !== undefined && !isStillAt(file);
    // One of another day may be over the limits.
    if (isLost && file.day === day) this.#lost(file.path);
    if (isLost || file?.path !== path) {
      this.#leave();
      const descriptor = openSync(path, "a+");
      this.#torn = endsWithinLine(descriptor);
      this.#file = { path, descriptor, day, checkedAt };
    }
    return Object.assign(this.#file as OpenFile, { day, checkedAt });
  }
}

/** @param syncing - a sync under way, which needs the descriptor */
async function closeSynced(
  { path, descriptor }: OpenFile,
  syncing: Promise<unknown>,
  synced: boolean,
): Promise<void> {
  try {
    await syncing;
    if (!synced) await syncData(descriptor);
  } catch (error) {
    throw new StoreWriteError(path, error);
  } finally {
    closeSync(descriptor);
  }
}

/** Whether a file has been neither deleted nor moved. */
function isStillAt({ path, descriptor }: OpenFile): boolean {
  const [open, named] = [fstatSync(descriptor), statSync(path, { throwIfNoEntry: false })];
  return named?.ino === open.ino && named.dev === open.dev;
}

function endsWithinLine(descriptor: number): boolean {
  const { size } = fstatSync(descriptor);
  const last = Buffer.alloc(1);
  return size > 0 && readSync(descriptor, last, 0, 1, size - 1) === 1 && last[0] !== LINE_FEED;
}
