import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";

/*
 * The files of minisign (https://jedisct1.github.io/minisign/): keys and signatures made here can be used there and the
 * other way round. Of secret keys only those without a password.
 */

/** Names a key: signatures carry it too. */
const ID_BYTES = 8;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const CHECKSUM_BYTES = 32;

export interface PublicKey {
  /** In hexadecimal, as minisign prints it. */
  id: string;
  key: KeyObject;
}

export interface SecretKey {
  id: Buffer;
  key: KeyObject;
}

export interface Signature {
  /** Of the key that has made it. */
  id: string;
  /** Whether it is of the BLAKE2b-512 of the content (`ED`), or of the content itself (`Ed`, of old). */
  hashed: boolean;
  bytes: Buffer;
  /** Signed along. */
  comment: string;
  commentBytes: Buffer;
}

/** @throws Error, with a message that goes behind "the public key", if it is none */
export function parsePublicKey(text: string): PublicKey {
  const line = contentLines(text).at(-1) ?? "";
  const [kind, id, key] = split(line, [2, ID_BYTES, KEY_BYTES]);
  if (kind.toString() !== "Ed") throw new Error(`is for another procedure than Ed25519`);
  return { id: idText(id), key: createPublicKey({ format: "jwk", key: okp(key) }) };
}

export function formatPublicKey({ id, key }: SecretKey): string {
  const { x } = createPublicKey(key).export({ format: "jwk" });
  const content = Buffer.concat([Buffer.from("Ed"), id, Buffer.from(x ?? "", "base64url")]);
  return `untrusted comment: minisign public key ${idText(id)}\n${content.toString("base64")}\n`;
}

/** @throws Error, with a message that goes behind "the secret key", if it is none or has a password */
export function parseSecretKey(text: string): SecretKey {
  const line = contentLines(text).at(-1) ?? "";
  const [kind, derivation, , , id, seed, key] = split(line, [
    2,
    2,
    2,
    48,
    ID_BYTES,
    KEY_BYTES,
    KEY_BYTES + CHECKSUM_BYTES,
  ]);
  if (kind.toString() !== "Ed") throw new Error("is for another procedure than Ed25519");
  if (derivation.some((byte) => byte !== 0)) {
    throw new Error("has a password, which is not supported; take it off in a copy: minisign -C -W -s FILE");
  }
  const jwk = { ...okp(key.subarray(0, KEY_BYTES)), d: seed.toString("base64url") };
  return { id, key: createPrivateKey({ format: "jwk", key: jwk }) };
}

export function formatSecretKey({ id, key }: SecretKey): string {
  const { d = "", x = "" } = key.export({ format: "jwk" });
  const content = Buffer.concat([
    Buffer.from("Ed\0\0B2"),
    // Salt and limits for the derivation of a key from a password, which there is not.
    Buffer.alloc(48),
    id,
    Buffer.from(d, "base64url"),
    Buffer.from(x, "base64url"),
    // The checksum tells a wrong password; minisign does not look at it where there is none.
    Buffer.alloc(CHECKSUM_BYTES),
  ]);
  return `untrusted comment: minisign secret key ${idText(id)}\n${content.toString("base64")}\n`;
}

/** @throws Error, with a message that goes behind "the signature", if it is none */
export function parseSignature(text: string): Signature {
  const lines = contentLines(text);
  const comment = lines.find((line) => line.startsWith(TRUSTED))?.slice(TRUSTED.length);
  const [first = "", last = ""] = lines.filter((line) => !line.startsWith(TRUSTED));
  const [kind, id, bytes] = split(first, [2, ID_BYTES, SIGNATURE_BYTES]);
  const [commentBytes] = split(last, [SIGNATURE_BYTES]);
  if (comment === undefined) throw new Error(`has no line "${TRUSTED}..."`);
  const procedure = kind.toString();
  if (procedure !== "ED" && procedure !== "Ed") throw new Error("is of another procedure than Ed25519");
  return { id: idText(id), hashed: procedure === "ED", bytes, comment, commentBytes };
}

/** Signs a content by its BLAKE2b-512 digest. */
export function signDigest(digest: Buffer, comment: string, { id, key }: SecretKey): string {
  const signature = sign(null, digest, key);
  const global = sign(null, Buffer.concat([signature, Buffer.from(comment)]), key);
  const content = Buffer.concat([Buffer.from("ED"), id, signature]);
  return [
    `untrusted comment: signature from minisign secret key ${idText(id)}`,
    content.toString("base64"),
    `${TRUSTED}${comment}`,
    global.toString("base64"),
    "",
  ].join("\n");
}

/** Whether a key has made a signature of a content, or of its digest if it is {@link Signature.hashed}, and its comment. */
export function isSignedBy(
  signed: Buffer,
  { bytes, comment, commentBytes }: Signature,
  { key }: PublicKey,
): boolean {
  const global = Buffer.concat([bytes, Buffer.from(comment)]);
  return verify(null, signed, key, bytes) && verify(null, global, key, commentBytes);
}

export function blake2b(content: Uint8Array): Buffer {
  return createHash("blake2b512").update(content).digest();
}

const TRUSTED = "trusted comment: ";

/** All but the comment that nobody vouches for. */
function contentLines(text: string): string[] {
  const lines = text.split(/\r?\n/).filter((line) => line !== "");
  return lines.filter((line) => !line.startsWith("untrusted comment:"));
}

function split<const L extends readonly number[]>(line: string, lengths: L): { [K in keyof L]: Buffer } {
  const content = Buffer.from(line, "base64");
  const expected = lengths.reduce((sum, length) => sum + length, 0);
  if (content.length !== expected || content.toString("base64") !== line.trim()) {
    throw new Error(`is not in the format of minisign: expected ${expected} bytes in base64`);
  }
  let end = 0;
  const parts = lengths.map((length) => {
    end += length;
    return content.subarray(end - length, end);
  });
  return parts as unknown as { [K in keyof L]: Buffer };
}

/** minisign prints it as a number, whose bytes are stored the other way round. */
function idText(id: Buffer): string {
  return Buffer.from(id).reverse().toString("hex").toUpperCase();
}

function okp(key: Buffer): { kty: "OKP"; crv: "Ed25519"; x: string } {
  return { kty: "OKP", crv: "Ed25519", x: key.toString("base64url") };
}
