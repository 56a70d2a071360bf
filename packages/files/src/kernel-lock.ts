import { readFileSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { isCode } from "./error-code.ts";
import { LockFileError } from "./lock-file-error.ts";
import { LockHeldError } from "./lock-held-error.ts";

/**
 * An exclusive lock between processes that the kernel keeps: it ends with its holder, by whatever death, at once,
 * and no clock has a say in it. Node has no call for it, but SQLite locks its files with `fcntl`: an exclusive
 * transaction on an empty database is such a lock, and writes nothing: the file stays empty, and with the journal
 * in memory there is no second file.
 *
 * INVARIANT: while a process holds a lock, nothing else in that process may open and close the lock file by
 * other means, for POSIX releases a process's locks on a file with the first descriptor of it that is closed.
 */
export class KernelLock implements Disposable {
  readonly file: string;
  readonly #database: DatabaseSync;

  /**
   * @param file - path of the lock file; created empty if it is not there
   * @throws LockFileError where it cannot be opened or created
   */
  constructor(file: string) {
    this.file = file;
    try {
      this.#database = new DatabaseSync(file, { timeout: 0 });
    } catch (error) {
      throw new LockFileError(file, error);
    }
  }

  /**
   * Takes the lock if it is free: also this instance has it once only.
   *
   * @throws LockFileError where the file is something else than a lock
   */
  tryAcquire(): boolean {
    try {
      if (this.#database.isTransaction) return false;
      this.#database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
      return true;
    } catch (error) {
      if (isBusy(error)) return false;
      throw new LockFileError(this.file, error);
    }
  }

  /**
   * Waits for the lock.
   *
   * @param timeoutMs - longest wait in milliseconds, on the monotonic clock
   * @throws LockHeldError when somebody still holds it then
   */
  async acquire(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!this.tryAcquire()) {
      if (performance.now() >= deadline) throw new LockHeldError(this.file, lockHolder(this.file), timeoutMs);
      await sleep(1 + Math.random() * 4);
    }
  }

  /** The same without the event loop, for waits that are known to be short. */
  acquireSync(timeoutMs: number): void {
    const deadline = performance.now() + timeoutMs;
    while (!this.tryAcquire()) {
      if (performance.now() >= deadline) throw new LockHeldError(this.file, lockHolder(this.file), timeoutMs);
      pause(1 + Math.random() * 4);
    }
  }

  release(): void {
    if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
  }

  /** Releases the lock and closes its file. */
  [Symbol.dispose](): void {
    this.#database.close();
  }
}

/**
 * The process that holds a {@link KernelLock}, as the kernel tells it in `/proc/locks`; `undefined` if none does,
 * or if the holder lives in a container whose processes cannot be seen from here.
 */
export function lockHolder(file: string): number | undefined {
  const inode = inodeOf(file);
  if (inode === undefined) return undefined;
  for (const line of readFileSync("/proc/locks", "utf8").split("\n")) {
    const [, kind, , access, pid, device] = line.trim().split(/\s+/);
    if (kind === "POSIX" && access === "WRITE" && device === inode && Number(pid) > 0) return Number(pid);
  }
  return undefined;
}

/** A file's identity as `/proc/locks` writes it: major and minor device in hexadecimal, inode in decimal. */
function inodeOf(file: string): string | undefined {
  try {
    const { dev, ino } = statSync(file, { bigint: true });
    const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
    const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
    return `${hex(major)}:${hex(minor)}:${ino}`;
  } catch (error) {
    if (isCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

function hex(part: bigint): string {
  return part.toString(16).padStart(2, "0");
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function isBusy(error: unknown): boolean {
  const SQLITE_BUSY = 5;
  return error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY;
}
