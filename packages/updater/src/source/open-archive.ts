import { createHash } from "node:crypto";
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Version } from "@ivy/types";
import * as z from "zod/mini";
import { UpdateRejectedError } from "../errors.ts";
import { readSignature, verifyRelease, verifySignature } from "../signature/release.ts";
import { deferringFullDisk } from "./full-disk.ts";
import { DEFAULT_LIMITS, type SourceLimits } from "./limits.ts";
import { unsigned } from "./release.ts";
import {
  type Expected,
  type OnArchiveStep,
  type UnpackedSource,
  verifyAndUnpack,
} from "./verify-and-unpack.ts";

export interface OpenArchiveOptions {
  /** A gzip-compressed tar file, as a code host or `git archive` makes it. */
  file: string;
  /** Whether nobody else can change it meanwhile: it is read where it lies then. */
  isOwn?: boolean;
  /**
   * Public keys of which one must have signed: either a manifest `FILE.json` with `FILE.json.minisig`, or the archive
   * itself with `FILE.minisig`. Without any, nothing needs to be signed.
   */
  trustedKeys: readonly string[];
  /** A folder for this change alone. */
  stage: string;
  signal: AbortSignal;
  onStep?: OnArchiveStep | undefined;
  limits?: Partial<SourceLimits> | undefined;
}

/**
 * Opens the archive of a version that somebody has brought along, and unpacks it into `STAGE/src`. Unless it is our
 * own, it is copied into the stage first, so that what has been checked is what is unpacked, whatever becomes of the
 * medium.
 *
 * @throws what {@link downloadSourceCode} throws
 */
export async function openArchive(
  options: OpenArchiveOptions,
): Promise<UnpackedSource & { version: string }> {
  const { file, isOwn = false, stage, signal, onStep } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw rejected("fetch", "IVY_ARCHIVE_NOT_FOUND", `There is no file ${file}`);
  if (size > limits.archiveBytes) {
    const message = `${file} is larger than the ${limits.archiveBytes} bytes that an archive of a release may have`;
    throw rejected("fetch", "IVY_ARCHIVE_TOO_LARGE", message);
  }
  return deferringFullDisk(async () => {
    mkdirSync(stage, { recursive: true });
    const own = isOwn ? file : join(stage, "artifact.part");
    try {
      if (!isOwn) {
        // What grows meanwhile is cut, and then damaged.
        const source = createReadStream(file, { end: limits.archiveBytes });
        await pipeline(source, createWriteStream(own, { mode: 0o600 }), { signal });
      }
      const { version, ...expected } = await signedContent(own, options);
      const unpacked = await verifyAndUnpack(own, expected, { stage, limits, signal, onStep });
      return { ...unpacked, version: version ?? versionOf(unpacked, file) };
    } finally {
      if (!isOwn) rmSync(own, { force: true });
    }
  });
}

/** What a trusted key has signed of an archive: its manifest, or itself. */
async function signedContent(
  own: string,
  { file, trustedKeys, signal }: OpenArchiveOptions,
): Promise<Expected & { version?: string }> {
  if (trustedKeys.length === 0) return {};
  const manifest = `${file}.json`;
  if (existsSync(manifest) && existsSync(`${manifest}.minisig`)) {
    const signature = readFileSync(`${manifest}.minisig`, "utf8");
    const release = verifyRelease({ manifest: readFileSync(manifest), signature, trustedKeys });
    return {
      version: release.version,
      commit: release.commit,
      tree: release.tree,
      sha256: release.archive_sha256,
    };
  }
  if (!existsSync(`${file}.minisig`)) {
    const name = basename(file);
    throw unsigned(`Beside ${file} is neither ${name}.json with ${name}.json.minisig nor ${name}.minisig`);
  }
  const signature = readSignature(readFileSync(`${file}.minisig`, "utf8"));
  if (!signature.hashed) {
    const message = `${file}.minisig is of an old procedure, for which all of the archive must be held in memory: sign with minisign -S -H`;
    throw rejected("verify", "IVY_SIGNATURE_UNREADABLE", message);
  }
  const hash = createHash("blake2b512");
  for await (const chunk of createReadStream(own, { signal })) hash.update(chunk);
  verifySignature(signature, trustedKeys, basename(file), hash.digest());
  return {};
}

function versionOf({ folder }: UnpackedSource, file: string): string {
  try {
    const content = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return z.object({ version: Version }).parse(content).version;
  } catch (cause) {
    rmSync(folder, { recursive: true, force: true });
    const message = `${file} does not hold a package.json that names its version, as each release of this software does`;
    throw new UpdateRejectedError("check", "IVY_VERSION_UNKNOWN", message, { cause });
  }
}

function rejected(step: "fetch" | "verify", code: string, message: string): UpdateRejectedError {
  return new UpdateRejectedError(step, code, message);
}
