import { Version } from "@ivy/types";
import { list, type ReadEntry } from "tar";
import * as z from "zod/mini";
import { UpdateRejectedError } from "../../errors.ts";

/** A package.json that is larger is not one. */
const LARGEST_BYTES = 1_000_000;

/**
 * The version that an archive of a release holds, by its own word: nothing of it is checked.
 *
 * @throws UpdateRejectedError where it does not say
 */
export async function versionOfArchive(file: string): Promise<string> {
  const chunks: Buffer[] = [];
  const onReadEntry = (entry: ReadEntry) => {
    if (/^[^/]+\/package\.json$/.test(entry.path) && entry.size <= LARGEST_BYTES)
      entry.on("data", (chunk: Buffer) => chunks.push(chunk));
  };
  try {
    await list({ file, onReadEntry, strict: true });
    const manifest = JSON.parse(Buffer.concat(chunks).toString());
    return z.object({ version: Version }).parse(manifest).version;
  } catch (cause) {
    const message = `${file} is not a gzip-compressed tar file with a package.json that names its version, as the archive of a release is`;
    throw new UpdateRejectedError("check", "IVY_VERSION_UNKNOWN", message, { cause });
  }
}
