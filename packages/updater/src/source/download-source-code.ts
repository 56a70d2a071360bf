import { mkdirSync } from "node:fs";
import type { UpdaterConfig } from "@ivy/types";
import { UpdateDeferredError, UpdateRejectedError } from "../errors.ts";
import { deferringFullDisk } from "./full-disk.ts";
import { fetchFromGit } from "./git/fetch-from-git.ts";
import { fetchFromHost } from "./hosted-source.ts";
import { DEFAULT_LIMITS, type SourceLimits } from "./limits.ts";
import { type OnArchiveStep, type UnpackedSource, verifyAndUnpack } from "./verify-and-unpack.ts";

export interface DownloadOptions {
  /** Where the source code comes from, and whose signatures count. */
  updater: UpdaterConfig;
  /** Its tag is `v{version}` or, where there is none, `{version}`. */
  version: string;
  /** Commit that the tag must stand for, in 40 hexadecimal digits. */
  commit?: string | undefined;
  /** A folder for this change alone; what an earlier attempt left there is gone on with. */
  stage: string;
  signal: AbortSignal;
  /** Called with the bytes that have come and, if the host has told, those of the whole; not while git fetches. */
  onProgress?: ((bytes: number, total?: number) => void) | undefined;
  onStep?: OnArchiveStep | undefined;
  limits?: Partial<SourceLimits> | undefined;
}

/**
 * Fetches the source code of a version, checks it, and unpacks it into `STAGE/src`.
 *
 * The order of the checks: with `trusted_keys`, the signed manifest comes first, and nothing else is fetched before its
 * signature, version and commit have proven right. The archive is then that of the manifest's commit (or the
 * release's own, checked by its SHA-256). Nothing is unpacked before the tree of the archive has proven to be the
 * signed one. Without keys but with a commit, the host is asked what the tag stands for.
 *
 * @throws UpdateRejectedError if this version can never be had as it is; UpdateDeferredError if it cannot be had
 *   now; the reason of the signal
 */
export async function downloadSourceCode({ limits, ...given }: DownloadOptions): Promise<UnpackedSource> {
  const options = { ...given, limits: { ...DEFAULT_LIMITS, ...limits } };
  return deferringFullDisk(async () => {
    mkdirSync(options.stage, { recursive: true });
    const fetchFrom = options.updater.provider === "git" ? fetchFromGit : fetchFromHost;
    const archive = await fetchFrom(options);
    try {
      const source = await verifyAndUnpack(archive.file, archive.expected, options);
      archive.remove();
      return source;
    } catch (error) {
      // What is wrong with an archive stays wrong, so the next attempt shall not find it.
      if (error instanceof UpdateRejectedError || error instanceof UpdateDeferredError) archive.remove();
      throw error;
    }
  });
}
