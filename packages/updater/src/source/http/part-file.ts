import {
  closeSync,
  existsSync,
  fstatSync,
  fsync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { isCode, replaceFile, syncFolder } from "@ivy/files";
import * as z from "zod/mini";

/** Bytes after which what has come is made to survive a power cut. */
const SYNC_BYTES = 8 * 2 ** 20;

const PartMeta = z.object({
  schema: z.literal(1),
  /** What the part is of. */
  target: z.string(),
  /** Of the whole, as the host gave it. */
  etag: z.nullable(z.string()),
  /** How much of the part is surely on disk. */
  bytes: z.int().check(z.minimum(0)),
  complete: z.boolean(),
});
type PartMeta = z.infer<typeof PartMeta>;

/** A download that may be cut off at any instruction and goes on later: `FILE.part` with `FILE.meta` beside it. */
export class PartFile implements Disposable {
  readonly file: string;
  readonly #meta: string;
  readonly #target: string;
  readonly #descriptor: number;
  #etag: string | null = null;
  #bytes = 0;
  #synced = 0;
  #complete = false;

  /** @param target - names what is downloaded; what is there of anything else is thrown away */
  constructor(path: string, target: string) {
    this.file = `${path}.part`;
    this.#meta = `${path}.meta`;
    this.#target = target;
    this.#descriptor = openSync(this.file, "a+", 0o600);
    const meta = readMeta(this.#meta);
    const usable = meta?.target === target && fstatSync(this.#descriptor).size >= meta.bytes;
    if (!usable) return;
    this.#etag = meta.etag;
    this.#complete = meta.complete;
    this.#bytes = this.#synced = meta.bytes;
    // What came after the last sync may be anything after a power cut.
    ftruncateSync(this.#descriptor, meta.bytes);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get complete(): boolean {
    return this.#complete;
  }

  /** Of what is there, to ask for the rest of exactly that; undefined if there is nothing to go on with. */
  get etag(): string | undefined {
    return this.#bytes > 0 ? (this.#etag ?? undefined) : undefined;
  }

  /** Begins from nothing. Without a wait: what a host has sent meanwhile would be lost if it then cuts the connection. */
  restart(etag: string | null): void {
    if (existsSync(this.#meta)) {
      // Must not be believed after a power cut, when it would be of another content.
      rmSync(this.#meta);
      syncFolder(dirname(this.#meta));
    }
    ftruncateSync(this.#descriptor, 0);
    this.#etag = etag;
    this.#bytes = this.#synced = 0;
  }

  async append(chunk: Uint8Array): Promise<void> {
    for (let done = 0; done < chunk.length; ) done += writeSync(this.#descriptor, chunk, done);
    this.#bytes += chunk.length;
    if (this.#bytes - this.#synced >= SYNC_BYTES) await this.sync();
  }

  async finish(): Promise<void> {
    this.#complete = true;
    await this.sync();
  }

  /** Makes what has come survive a power cut. A slow card holds nobody up meanwhile. */
  async sync(): Promise<void> {
    const [target, etag, bytes, complete] = [this.#target, this.#etag, this.#bytes, this.#complete];
    await promisify(fsync)(this.#descriptor);
    this.#synced = bytes;
    const meta: PartMeta = { schema: 1, target, etag, bytes, complete };
    replaceFile(this.#meta, `${JSON.stringify(meta)}\n`, 0o600);
  }

  /** Throws all of it away. */
  remove(): void {
    rmSync(this.#meta, { force: true });
    rmSync(this.file, { force: true });
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }
}

function readMeta(file: string): PartMeta | undefined {
  try {
    return z.safeParse(PartMeta, JSON.parse(readFileSync(file, "utf8"))).data;
  } catch (error) {
    if (isCode(error, "ENOENT") || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
