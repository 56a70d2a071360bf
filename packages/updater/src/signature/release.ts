import { generateKeyPairSync, randomBytes } from "node:crypto";
import { Version } from "@ivy/types";
import * as z from "zod/mini";
import { UpdateRejectedError } from "../errors.ts";
import {
  blake2b,
  formatPublicKey,
  formatSecretKey,
  isSignedBy,
  type PublicKey,
  parsePublicKey,
  parseSecretKey,
  parseSignature,
  type Signature,
  signDigest,
} from "./minisign.ts";

const sha1 = z.string().check(z.regex(/^[0-9a-f]{40}$/));

/** What is signed of a release: `ivy-release.json`. */
export const ReleaseManifest = z.object({
  schema: z.literal(1),
  version: Version,
  /** Of git, 40 hexadecimal digits. */
  commit: sha1,
  /** Id that git gives to the tree of that commit. Archives of code hosts differ from time to time, their trees do not. */
  tree: sha1,
  /** SHA-256 of the archive `ivy-release.tar.gz` beside this file, if the release is to come from there. */
  archive_sha256: z.optional(z.string().check(z.regex(/^[0-9a-f]{64}$/))),
  created_at: z.iso.datetime(),
});
export type ReleaseManifest = z.infer<typeof ReleaseManifest>;

/** The files beside a release, at its code host. */
export const MANIFEST_NAME = "ivy-release.json";
export const SIGNATURE_NAME = `${MANIFEST_NAME}.minisig`;
export const ARCHIVE_NAME = "ivy-release.tar.gz";

/** Makes a pair of keys, as the contents of the files that `minisign` would write. */
export function makeKey(): { publicKey: string; secretKey: string } {
  const { privateKey } = generateKeyPairSync("ed25519");
  const secret = { id: randomBytes(8), key: privateKey };
  return { publicKey: formatPublicKey(secret), secretKey: formatSecretKey(secret) };
}

/**
 * Signs what a release is.
 *
 * @param secretKey - content of the file of the secret key
 * @returns the contents of the two files to lay beside the release
 * @throws Error if the key cannot be used, or the release is not described as a manifest describes it
 */
export function signRelease(
  release: Omit<ReleaseManifest, "schema" | "created_at">,
  secretKey: string,
  now: Date = new Date(),
): { manifest: string; signature: string } {
  const described = { schema: 1, ...release, created_at: now.toISOString().replace(/\.\d+/, "") };
  const manifest = `${JSON.stringify(ReleaseManifest.parse(described), null, 2)}\n`;
  const comment = `version ${release.version} of ${described.created_at}`;
  const key = explaining("The secret key", () => parseSecretKey(secretKey));
  return { manifest, signature: signDigest(blake2b(Buffer.from(manifest)), comment, key) };
}

export interface VerifyReleaseOptions {
  /** Content of `ivy-release.json`. */
  manifest: Buffer;
  /** Content of `ivy-release.json.minisig`. */
  signature: string;
  /** Public keys of minisign; one of them must have signed. */
  trustedKeys: readonly string[];
  /** The version that it must be of; any if left out. */
  version?: string | undefined;
}

/**
 * Reads what a release is, after its signature has proven right.
 *
 * @throws UpdateRejectedError `IVY_KEY_NOT_TRUSTED`, `IVY_SIGNATURE_INVALID`, `IVY_SIGNATURE_UNREADABLE`,
 *   `IVY_MANIFEST_INVALID`, `IVY_MANIFEST_OTHER_VERSION`, `IVY_TRUSTED_KEY_INVALID`
 */
export function verifyRelease({
  manifest,
  signature,
  trustedKeys,
  version,
}: VerifyReleaseOptions): ReleaseManifest {
  const parsed = readSignature(signature);
  verifySignature(parsed, trustedKeys, MANIFEST_NAME, parsed.hashed ? blake2b(manifest) : manifest);
  const described = readManifest(manifest);
  if (version === undefined || described.version === version) return described;
  throw rejected(
    "IVY_MANIFEST_OTHER_VERSION",
    `The signed manifest is of version ${described.version}, not of ${version}: sign each release anew`,
  );
}

/** @throws UpdateRejectedError `IVY_SIGNATURE_UNREADABLE` */
export function readSignature(signature: string): Signature {
  try {
    return parseSignature(signature);
  } catch (cause) {
    const message = `The signature cannot be read: it ${(cause as Error).message}`;
    throw rejected("IVY_SIGNATURE_UNREADABLE", message, cause);
  }
}

/**
 * @param signed - the content, or its BLAKE2b-512 digest, as the signature has it
 * @throws UpdateRejectedError unless a trusted key has signed exactly that
 */
export function verifySignature(
  signature: Signature,
  trustedKeys: readonly string[],
  what: string,
  signed: Buffer,
): void {
  const keys = trustedKeys.map(readTrustedKey).filter(({ id }) => id === signature.id);
  if (keys.length === 0) {
    const message =
      `The signature of ${what} is of the key ${signature.id}, which is not among updater.trusted_keys: ` +
      "sign the release with a trusted key, or trust this one in a configuration before the one that names the version";
    throw rejected("IVY_KEY_NOT_TRUSTED", message);
  }
  if (keys.some((key) => isSignedBy(signed, signature, key))) return;
  const message = `The signature of ${what} by the key ${signature.id} does not fit: it has been altered since, or is of something else`;
  throw rejected("IVY_SIGNATURE_INVALID", message);
}

function readTrustedKey(text: string): PublicKey {
  try {
    return parsePublicKey(text);
  } catch (cause) {
    const message = `One of updater.trusted_keys is not a public key: it ${(cause as Error).message}`;
    throw rejected("IVY_TRUSTED_KEY_INVALID", message, cause);
  }
}

function readManifest(content: Buffer): ReleaseManifest {
  try {
    return ReleaseManifest.parse(JSON.parse(content.toString()));
  } catch (cause) {
    const message =
      "The manifest has a right signature but not the form that this version knows: sign it with the command sign-release";
    throw rejected("IVY_MANIFEST_INVALID", message, cause);
  }
}

function explaining<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new Error(`${what} ${(cause as Error).message}`, { cause });
  }
}

function rejected(code: string, message: string, cause?: unknown): UpdateRejectedError {
  return new UpdateRejectedError("verify", code, message, { cause });
}
