import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { isCode } from "@ivy/files";
import { OtaDeferral } from "./ota-failure.ts";
import type { Upload } from "./target.ts";

/** Left free on the disk for what is measured, in bytes. */
const RESERVE_BYTES = 64 * 1024 * 1024;

/** Where packages are downloaded to; belongs to this alone. */
export const otaFolder = (dataDir: string) => join(dataDir, "ota");

/** A package that is being downloaded. Its name is its checksum, so that what is there can be gone on with. */
export class PartFile {
  readonly path: string;
  readonly #folder: string;
  readonly #upload: Upload;

  constructor(dataDir: string, upload: Upload) {
    this.#folder = otaFolder(dataDir);
    this.#upload = upload;
    this.path = join(this.#folder, `${upload.checksum}.part`);
  }

  /** How much of it is there, in bytes. */
  async bytes(): Promise<number> {
    try {
      return (await stat(this.path)).size;
    } catch (error) {
      if (isCode(error, "ENOENT")) return 0;
      throw error;
    }
  }

  /**
   * Opens it for writing, with what is there cut to a multiple of a size, or away if it is too much.
   *
   * @throws OtaDeferral where the disk has no room for the rest
   */
  async open(multipleOf: number): Promise<{ file: FileHandle; offset: number }> {
    await mkdir(this.#folder, { recursive: true });
    const { size } = this.#upload;
    const there = await this.bytes();
    const offset = there > size ? 0 : Math.floor(there / multipleOf) * multipleOf;
    const { bavail, bsize } = await statfs(this.#folder);
    if (bavail * bsize < size - offset + RESERVE_BYTES)
      throw new OtaDeferral("NO_SPACE", `of ${bavail * bsize} free bytes, ${RESERVE_BYTES} are to stay free`);
    const file = await open(this.path, there === 0 ? "w" : "r+", 0o600);
    await file.truncate(offset);
    return { file, offset };
  }

  /** Whether its content has the checksum that the server says. */
  async isWhole(): Promise<boolean> {
    const hash = createHash(this.#upload.algorithm);
    for await (const piece of createReadStream(this.path)) hash.update(piece);
    return hash.digest("hex") === this.#upload.checksum;
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true });
  }
}

/** Removes the downloads that nobody goes on with. */
export async function removeOtherParts(dataDir: string, wanted: readonly Upload[]): Promise<void> {
  const folder = otaFolder(dataDir);
  const kept = new Set(wanted.map(({ checksum }) => `${checksum}.part`));
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (isCode(error, "ENOENT")) return;
    throw error;
  }
  for (const name of names.filter((found) => found.endsWith(".part") && !kept.has(found)))
    await rm(join(folder, name), { force: true });
}
