import { gzipSync } from "node:zlib";
import { Header, type HeaderData } from "tar";

/** One record of an archive; anything that the format can express, also what no release may have. */
export interface ArchiveEntry extends Omit<HeaderData, "path"> {
  path: string;
  content?: string | Uint8Array;
}

const BLOCK_BYTES = 512;

/** Makes a gzip-compressed tar file of entries exactly as they are given. */
export function makeArchive(entries: readonly ArchiveEntry[]): Buffer {
  const records = entries.flatMap(({ content = "", ...header }) => {
    const body = Buffer.from(content as string);
    const block = Buffer.alloc(BLOCK_BYTES);
    new Header({ type: "File", mode: 0o644, size: body.length, mtime: new Date(0), ...header }).encode(block);
    return [block, body, Buffer.alloc(-body.length & (BLOCK_BYTES - 1))];
  });
  return gzipSync(Buffer.concat([...records, Buffer.alloc(2 * BLOCK_BYTES)]));
}
