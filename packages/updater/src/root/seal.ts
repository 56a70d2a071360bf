import { readFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "@ivy/files";
import { Version } from "@ivy/types";
import * as z from "zod/mini";
import { firstMismatch, MANIFEST, makeManifest, readManifest, SEAL } from "./manifest.ts";
import { readRecord, recordText } from "./read-record.ts";
import { syncTree } from "./sync-tree.ts";

/** Says of a version's folder that it is complete, tested and durable. Without one it is rubbish. */
export const Seal = z.object({
  schema: z.literal(1),
  version: Version,
  commit: z.optional(z.string()),
  /** Of git, of the source code as it was fetched. */
  treeId: z.optional(z.string()),
  txid: z.string(),
  files: z.number(),
  bytes: z.number(),
  manifestSha256: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  /** The boot in which it was sealed: in a later one, the launcher reads every file before it trusts them. */
  bootId: z.string(),
});
export type Seal = z.infer<typeof Seal>;

/**
 * Seals a version's folder. Everything in it is durable before the seal is, and nothing may change it afterwards.
 *
 * @throws UpdateRejectedError for what cannot be in a version, see `makeManifest`
 * @throws the error of the file system call that failed (`ENOSPC`, ...); there is no seal then
 */
export async function sealVersion(
  folder: string,
  about: { version: string; commit?: string; treeId?: string; txid: string },
): Promise<Seal> {
  const { text, sha256, files, bytes } = await makeManifest(folder);
  replaceFile(join(folder, MANIFEST), text);
  syncTree(folder);
  const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  const seal: Seal = { schema: 1, ...about, files, bytes, manifestSha256: sha256, bootId };
  replaceFile(join(folder, SEAL), recordText(seal));
  return seal;
}

/** @returns `undefined` where the folder is not sealed, or the seal is damaged */
export function readSeal(folder: string): Seal | undefined {
  return readRecord(join(folder, SEAL), Seal);
}

/**
 * Compares a sealed folder with its manifest. Files that have come to it do not matter.
 *
 * @param how - `sizes` looks at every name and size, `content` reads every file
 * @returns the first difference; `undefined` where there is none
 */
export function checkManifest(folder: string, how: "sizes" | "content"): string | undefined {
  const seal = readSeal(folder);
  if (seal === undefined) return `${SEAL} is missing or damaged`;
  const manifest = readManifest(folder, seal.manifestSha256);
  return manifest === undefined ? `${MANIFEST} is missing or damaged` : firstMismatch(folder, manifest, how);
}
