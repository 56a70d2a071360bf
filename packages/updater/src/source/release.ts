import { UpdateRejectedError } from "../errors.ts";
import type { ReleaseManifest } from "../signature/release.ts";
import type { SourceOptions } from "./source-options.ts";
import type { Expected } from "./verify-and-unpack.ts";

/** Tags that a version may have, the usual first. */
export function tagsOf(version: string): string[] {
  return [`v${version}`, version];
}

/** @throws UpdateRejectedError if the configuration and the signed manifest name different commits */
export function ofManifest(manifest: ReleaseManifest, { commit }: Pick<SourceOptions, "commit">): Expected {
  if (commit === undefined || commit === manifest.commit) {
    return { commit: manifest.commit, tree: manifest.tree, sha256: manifest.archive_sha256 };
  }
  throw wrongCommit(`The signed manifest is of the commit ${manifest.commit}`, commit);
}

export function wrongCommit(found: string, wanted: string): UpdateRejectedError {
  const message = `${found}, and the configuration wants ${wanted}: the tag may have been moved`;
  return new UpdateRejectedError("verify", "IVY_COMMIT_MISMATCH", message);
}

export function unsigned(what: string): UpdateRejectedError {
  const message = `${what}, and updater.trusted_keys wants releases signed: sign it with the command sign-release`;
  return new UpdateRejectedError("verify", "IVY_RELEASE_UNSIGNED", message);
}
