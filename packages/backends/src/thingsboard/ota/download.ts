import type { FileHandle } from "node:fs/promises";
import { isCode } from "@ivy/files";
import { NoAnswerError, type Questions } from "../questions.ts";
import type { PackageKind } from "../topics.ts";
import { OtaDeferral, OtaFailure } from "./ota-failure.ts";
import type { PartFile } from "./part-file.ts";
import type { Upload } from "./target.ts";

const LARGEST_CHUNK = 16_384;
const SMALLEST_CHUNK = 1_024;

/** How often in a row a chunk that does not come is asked for again. */
const RETRIES = 5;

/** How often in a row an empty chunk is taken for a package that has left the server's cache. */
const EMPTY_CHUNKS = 3;

export interface DownloadOptions {
  kind: PackageKind;
  upload: Upload;
  part: PartFile;
  chunks: ChunkSize;
  questions: Questions;
  /** How long the first request for a chunk waits, in milliseconds; each one after it in vain twice as long. */
  chunkMs: number;
  signal: AbortSignal;
}

/** The size of the chunks that are asked for, in bytes: a power of two, so that what is there stays a multiple of it. */
export class ChunkSize {
  bytes = LARGEST_CHUNK;

  /** Whether that was possible. */
  halve(): boolean {
    if (this.bytes <= SMALLEST_CHUNK) return false;
    this.bytes /= 2;
    return true;
  }
}

/** A chunk that has come, and how long it was to be. */
interface Fetched {
  chunk: Buffer;
  due: number;
}

/** A download in chunks, one after another. */
export class Download {
  readonly #options: DownloadOptions;
  /** The server binds a package to the number of a request, for as long as the connection stands. */
  #id: number;

  constructor(options: DownloadOptions) {
    this.#options = options;
    this.#id = options.questions.nextId();
  }

  /**
   * Fetches what is not there yet; all of it is on disk then.
   *
   * @throws OtaFailure where the server holds another package than it says
   * @throws OtaDeferral where it does not answer on this connection, or the disk is full
   */
  async run(): Promise<void> {
    const { part, upload, chunks } = this.#options;
    if ((await part.bytes()) === upload.size) return;
    const { file, offset } = await part.open(chunks.bytes);
    try {
      await this.#fill(file, offset);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  async #fill(file: FileHandle, start: number): Promise<void> {
    const { upload, questions } = this.#options;
    let empty = 0;
    for (let offset = start; offset < upload.size; ) {
      const { chunk, due } = await this.#fetch(offset);
      if (chunk.length === 0) {
        if (++empty > EMPTY_CHUNKS) throw mismatch(upload, `there is nothing at byte ${offset}`);
        this.#id = questions.nextId();
        continue;
      }
      if (chunk.length !== due) throw mismatch(upload, `${chunk.length} bytes came where ${due} were due`);
      await write(file, chunk, offset);
      offset += chunk.length;
      empty = 0;
    }
  }

  /** Asks for the chunk at an offset until it comes; when it does not, for a smaller one, as another request. */
  async #fetch(offset: number): Promise<Fetched> {
    const { upload, chunks, questions } = this.#options;
    for (let attempt = 0; attempt <= RETRIES; attempt++) {
      const size = chunks.bytes;
      try {
        const chunk = await this.#ask(offset / size, size, attempt);
        return { chunk, due: Math.min(size, upload.size - offset) };
      } catch (error) {
        if (!(error instanceof NoAnswerError)) throw error;
        chunks.halve();
        this.#id = questions.nextId();
      }
    }
    throw new OtaDeferral("NO_ANSWER", `the server does not send what is at byte ${offset}`);
  }

  #ask(chunk: number, size: number, attempt: number): Promise<Buffer> {
    const { kind, questions, chunkMs, signal } = this.#options;
    return questions.ask({
      topic: `v2/${kind}/request/${this.#id}/chunk/${chunk}`,
      payload: String(size),
      key: chunkKey(this.#id, chunk),
      timeoutMs: chunkMs * 2 ** attempt,
      signal,
    });
  }
}

/** What the answer to a request for a chunk is known by. */
export function chunkKey(id: number, chunk: number): string {
  return `chunk ${id}/${chunk}`;
}

function mismatch({ size }: Upload, what: string): OtaFailure {
  return new OtaFailure("SIZE_MISMATCH", `the server says ${size} bytes, but ${what}`);
}

async function write(file: FileHandle, chunk: Buffer, offset: number): Promise<void> {
  try {
    await file.write(chunk, 0, chunk.length, offset);
  } catch (error) {
    if (isCode(error, "ENOSPC", "EDQUOT"))
      throw new OtaDeferral("NO_SPACE", "the disk is full", { cause: error });
    throw error;
  }
}
