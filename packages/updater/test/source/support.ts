import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UpdateDeferredError, UpdateRejectedError } from "../../src/errors.ts";
import { DEFAULT_LIMITS, type SourceLimits } from "../../src/source/limits.ts";
import { type Expected, verifyAndUnpack } from "../../src/source/verify-and-unpack.ts";

/** A temporary folder that is removed with the resource. */
export function makeFolder(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), "ivy-source-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** What became of an archive that was to be unpacked. */
export interface Unpacking {
  code: string;
  rejected?: boolean;
  message?: string;
  treeId?: string;
  /** Names of all that lies in the folder around the stage afterwards. */
  left: string[];
}

/** Unpacks an archive into a stage with nothing else around it. */
export async function unpack(
  archive: Uint8Array,
  { limits, ...expected }: Expected & { limits?: Partial<SourceLimits> } = {},
): Promise<Unpacking> {
  using folder = makeFolder();
  const file = join(folder.path, "archive");
  writeFileSync(file, archive);
  const options = {
    stage: folder.path,
    limits: { ...DEFAULT_LIMITS, ...limits },
    signal: new AbortController().signal,
  };
  const left = () =>
    readdirSync(folder.path, { recursive: true, encoding: "utf8" }).filter((name) => name !== "archive");
  try {
    const { treeId } = await verifyAndUnpack(file, expected, options);
    return { code: "unpacked", treeId, left: left().sort() };
  } catch (error) {
    if (!(error instanceof UpdateRejectedError || error instanceof UpdateDeferredError)) throw error;
    const { code, message } = error;
    return { code, message, rejected: error instanceof UpdateRejectedError, left: left() };
  }
}
