import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { Parser, type ReadEntry } from "tar";
import { UpdateDeferredError, UpdateRejectedError } from "../../errors.ts";
import type { SourceLimits } from "../limits.ts";
import { damaged, notOneFolder, tooLarge } from "./archive-errors.ts";
import { entryPath } from "./entry-path.ts";

/** A file of an archive. */
export interface ArchivedFile {
  /** The parts of its path, without the folder that holds everything. */
  parts: readonly string[];
  executable: boolean;
  /** In bytes. */
  size: number;
}

/** Takes the content of one file. */
export interface FileSink {
  write(chunk: Uint8Array): void;
  end(): void;
}

export interface ReadArchiveOptions {
  /** A gzip-compressed tar file whose entries all lie in one folder, as code hosts and `git archive` make them. */
  file: string;
  limits: SourceLimits;
  signal: AbortSignal;
}

const CHUNK_BYTES = 64 * 1_024;
const BLOCK_BYTES = 512;

/**
 * Reads an archive from its beginning to its end, in little memory, and hands over each file of it.
 * Whatever is not a plain file or folder with a path inside, is refused, and so is more than the limits allow.
 *
 * @returns the commit that git has noted in it, if it has
 * @throws UpdateRejectedError `IVY_ARCHIVE_*` for what no release has; UpdateDeferredError `IVY_ARCHIVE_DAMAGED` if
 *   the file is cut off or altered
 */
export async function readArchive(
  { file, limits, signal }: ReadArchiveOptions,
  open: (file: ArchivedFile) => FileSink,
): Promise<{ commit?: string }> {
  const records = new Records(limits, open);
  // Strict: whatever the parser would warn about and skip is an error.
  const parser = new Parser({ strict: true });
  parser.on("meta", () => records.count());
  parser.on("entry", (entry: ReadEntry) => records.take(entry));
  parser.on("ignoredEntry", (entry: ReadEntry) => records.refuseKind(entry));
  let failure: Error | undefined;
  parser.on("error", (error: Error) => {
    failure ??= error;
  });
  const source = createReadStream(file, { highWaterMark: CHUNK_BYTES, signal });
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  source.on("error", (error) => gunzip.destroy(error));
  try {
    let bytes = 0;
    for await (const chunk of source.pipe(gunzip) as AsyncIterable<Buffer>) {
      if (bytes === 0) expectTar(chunk);
      bytes += chunk.length;
      if (bytes > limits.unpackedBytes)
        throw tooLarge(`more than ${limits.unpackedBytes} bytes come out of it`);
      parser.write(chunk);
      if (failure !== undefined) throw failure;
    }
    parser.end();
    if (failure !== undefined) throw failure;
    if (records.files === 0) throw damaged("it holds no file");
    return records.commit === undefined ? {} : { commit: records.commit };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof UpdateRejectedError || error instanceof UpdateDeferredError) throw error;
    if (isFormatError(error)) throw damaged((error as Error).message, error);
    throw error;
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

/** What has been read of an archive so far. */
class Records {
  readonly #limits: SourceLimits;
  readonly #open: (file: ArchivedFile) => FileSink;
  #records = 0;
  #top: string | undefined;
  files = 0;
  commit: string | undefined;

  constructor(limits: SourceLimits, open: (file: ArchivedFile) => FileSink) {
    this.#limits = limits;
    this.#open = open;
  }

  /** Counts also what makes no file: the parser holds a part of each in memory. */
  count(): void {
    this.#records++;
    if (this.#records > this.#limits.entries)
      throw tooLarge(`it has more than ${this.#limits.entries} entries`);
  }

  take(entry: ReadEntry): void {
    this.count();
    const note = entry.globalExtended?.comment;
    if (note !== undefined && /^[0-9a-f]{40}$/.test(note)) this.commit = note;
    if (entry.type !== "File" && entry.type !== "OldFile" && entry.type !== "Directory")
      this.refuseKind(entry);
    const { top, parts } = entryPath(entry.path);
    this.#top ??= top;
    if (top !== this.#top) throw notOneFolder(this.#top, top);
    if (entry.type === "Directory") {
      entry.resume();
      return;
    }
    if (parts.length === 0) throw notOneFolder(top, `${top}, a file`);
    this.#pass(entry, { parts, executable: ((entry.mode ?? 0) & 0o100) !== 0, size: entry.size });
  }

  #pass(entry: ReadEntry, file: ArchivedFile): void {
    this.files++;
    const sink = this.#open(file);
    let left = file.size;
    entry.on("data", (chunk: Buffer) => {
      left -= chunk.length;
      sink.write(chunk);
    });
    entry.on("end", () => {
      if (left !== 0) throw damaged(`${file.parts.join("/")} is not as long as announced`);
      sink.end();
    });
  }

  refuseKind({ type, path }: ReadEntry): never {
    throw new UpdateRejectedError(
      "unpack",
      "IVY_ARCHIVE_ENTRY",
      `The archive has an entry of the kind ${type} (${JSON.stringify(path.slice(0, 100))}); only files and folders are ` +
        "unpacked: a release must not contain links, devices or pipes. Nothing of it has been unpacked",
    );
  }
}

/** The parser would look for a second compression in what has been decompressed. */
function expectTar(chunk: Buffer): void {
  if (chunk[0] === 0x1f || chunk[0] === 0x28 || chunk.toString("latin1", 257, 262) !== "ustar") {
    throw damaged(`it does not hold a tar file, but ${JSON.stringify(chunk.toString("latin1", 0, 40))}`);
  }
  if (chunk.length < BLOCK_BYTES) throw damaged("it is shorter than the smallest tar file");
}

function isFormatError(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return code.startsWith("TAR_") || code.startsWith("Z_");
}
