import { execFileSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file system of its own, which can really be full or read-only. */
export class SmallDisk implements Disposable {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "ivy-disk-")));
  readonly #filler = join(this.folder, "filler");

  constructor(megabytes: number) {
    try {
      mount("-t", "tmpfs", "-o", `size=${megabytes}m`, "none", this.folder);
    } catch (error) {
      rmSync(this.folder, { recursive: true });
      throw error;
    }
  }

  /** Takes all the room but so many bytes. */
  fill(left = 0): void {
    const { bavail, bsize } = statfsSync(this.folder);
    execFileSync("fallocate", ["-l", String(bavail * bsize - left), this.#filler]);
  }

  /** Lets so many files come to it and no more. */
  limitFiles(more: number): void {
    const { files, ffree } = statfsSync(this.folder);
    this.#remount(`nr_inodes=${files - ffree + more}`);
  }

  makeReadOnly(): void {
    this.#remount("ro");
  }

  /** There is room again, and it can be written. */
  repair(): void {
    this.#remount("rw,nr_inodes=1000000");
    rmSync(this.#filler, { force: true });
  }

  #remount(options: string): void {
    mount("-o", `remount,${options}`, this.folder);
  }

  [Symbol.dispose](): void {
    execFileSync("umount", ["-l", this.folder]);
    rmSync(this.folder, { recursive: true });
  }
}

function mount(...args: string[]): void {
  execFileSync("mount", args, { stdio: ["ignore", "ignore", "pipe"] });
}

/** Whether whoever runs this may mount a file system. */
export const canMount = (() => {
  try {
    using _disk = new SmallDisk(1);
    return true;
  } catch {
    return false;
  }
})();
