import { createHash } from "node:crypto";
import { createReadStream, rmSync } from "node:fs";
import { join } from "node:path";
import { UpdateRejectedError } from "../errors.ts";
import { inspectArchive } from "./archive/inspect-archive.ts";
import { unpackArchive } from "./archive/unpack-archive.ts";
import { folderTreeId } from "./git-tree.ts";
import type { SourceLimits } from "./limits.ts";

/** What an archive must turn out to be. */
export interface Expected {
  commit?: string | undefined;
  tree?: string | undefined;
  sha256?: string | undefined;
}

export interface UnpackedSource {
  /** Where the files lie. */
  folder: string;
  /** Which commit they are of, if that is known. */
  commit?: string;
  /** Id that git gives to their tree. */
  treeId: string;
}

/** Told what is begun: the checks of an archive that has come as a whole, and then its unpacking. */
export type OnArchiveStep = (step: "verify" | "unpack") => void;

interface UnpackOptions {
  stage: string;
  limits: SourceLimits;
  signal: AbortSignal;
  onStep?: OnArchiveStep | undefined;
}

/**
 * Checks an archive, then unpacks it into `STAGE/src`. The order: its SHA-256, if one is expected; then all of it is read
 * without a file being written, which shows whether it can be unpacked at all, and its tree and commit; only then
 * it is unpacked, and what lies on the disk is held against that tree once more.
 *
 * @throws UpdateRejectedError, UpdateDeferredError; nothing of the archive is left unpacked then
 */
export async function verifyAndUnpack(
  file: string,
  expected: Expected,
  { stage, limits, signal, onStep }: UnpackOptions,
): Promise<UnpackedSource> {
  onStep?.("verify");
  if (expected.sha256 !== undefined) await expectSha256(file, expected.sha256, signal);
  const options = { file, limits, signal };
  const content = await inspectArchive(options);
  if (expected.tree !== undefined && content.treeId !== expected.tree) {
    throw otherTree(`The archive holds the tree ${content.treeId}`, expected.tree);
  }
  const commit = expected.commit ?? content.commit;
  if (content.commit !== undefined && content.commit !== commit) throw otherCommit(content.commit, commit);
  onStep?.("unpack");
  const folder = join(stage, "src");
  rmSync(folder, { recursive: true, force: true });
  try {
    await unpackArchive(options, folder);
    const unpacked = await folderTreeId(folder);
    if (unpacked !== content.treeId)
      throw otherTree(`What has been unpacked is the tree ${unpacked}`, content.treeId);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return { folder, ...(commit === undefined ? {} : { commit }), treeId: content.treeId };
}

async function expectSha256(file: string, expected: string, signal: AbortSignal): Promise<void> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { signal })) hash.update(chunk);
  const actual = hash.digest("hex");
  if (actual === expected) return;
  const message = `The archive has the SHA-256 ${actual}, and the signed manifest says ${expected}: it has been altered since`;
  throw new UpdateRejectedError("verify", "IVY_ARCHIVE_MISMATCH", message);
}

function otherTree(found: string, expected: string): UpdateRejectedError {
  return new UpdateRejectedError(
    "verify",
    "IVY_TREE_MISMATCH",
    `${found}, and ${expected} was expected: it has been altered, or its repository has submodules or attributes ` +
      "like export-ignore, with which archives are not what has been committed",
  );
}

function otherCommit(found: string, expected: string | undefined): UpdateRejectedError {
  const message = `The archive is of the commit ${found}, and ${expected} was expected`;
  return new UpdateRejectedError("verify", "IVY_COMMIT_MISMATCH", message);
}
