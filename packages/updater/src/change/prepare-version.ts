import { mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { replaceFile, syncFolder } from "@ivy/files";
import { UpdateRejectedError, type UpdateStep } from "../errors.ts";
import { discard, emptyTrash } from "../root/discard.ts";
import { versionFolder } from "../root/paths.ts";
import { checkManifest, readSeal, sealVersion } from "../root/seal.ts";
import { tidy } from "../root/tidy.ts";
import { downloadSourceCode } from "../source/download-source-code.ts";
import { isKept } from "../source/keep-archive.ts";
import { openArchive } from "../source/open-archive.ts";
import type { OnArchiveStep } from "../source/verify-and-unpack.ts";
import { checkRoom } from "../steps/check-room.ts";
import { installDependencies } from "../steps/install.ts";
import { pnpmOf } from "../steps/pnpm.ts";
import { buildVersion, runVersionChangeTests } from "../steps/version-steps.ts";
import type { PreparationRequest } from "./preparation.ts";

export interface PrepareOptions {
  signal: AbortSignal;
  onStep: (step: UpdateStep, text: string) => void;
}

const ARCHIVE_STEPS = {
  verify: "the archive is there as a whole; is it what was asked for?",
  unpack: "the archive is what was asked for",
};

/** What is known about the source code of a version. */
interface Source {
  folder: string;
  commit?: string;
  treeId: string;
}

/**
 * Makes a version ready to run below the root: fetched, verified, unpacked, its dependencies installed, built, its suite
 * `version_change` passed, sealed. One that is sealed already is used again. What is not sealed is never gone on with,
 * except for a download.
 *
 * @throws UpdateRejectedError where the version will never be ready
 * @throws UpdateDeferredError where it cannot be made ready now
 */
export async function prepareVersion(request: PreparationRequest, options: PrepareOptions): Promise<void> {
  const { paths, version, txid } = request;
  const folder = versionFolder(paths, version);
  if (isReusable(request, folder)) return options.onStep("check", `version ${version} is installed already`);
  discard(paths, folder);
  const stage = join(paths.stage, txid);
  tidy(paths, {
    keptVersions: request.updater?.kept_versions ?? 1,
    keptStage: txid,
    warn: (text) => options.onStep("check", text),
  });
  checkRoom(paths);
  mkdirSync(stage, { recursive: true, mode: 0o700 });
  try {
    const source = await obtain(request, stage, options);
    checkIdentity(source.folder, version);
    renameSync(source.folder, folder);
    syncFolder(paths.root);
    await makeRunnable(request, { stage, folder }, options);
    options.onStep("seal", "its files are counted and made durable");
    await sealVersion(folder, {
      version,
      txid,
      treeId: source.treeId,
      ...(source.commit ? { commit: source.commit } : {}),
    });
  } catch (error) {
    try {
      discard(paths, folder);
      if (error instanceof UpdateRejectedError) discard(paths, stage);
      emptyTrash(paths);
    } catch (left) {
      // A disk that is read-only: the next attempt begins with it.
      options.onStep("check", `what is left of version ${version} cannot be removed yet: ${String(left)}`);
    }
    throw error;
  }
  discard(paths, stage);
  emptyTrash(paths);
}

/** Whether the version lies there whole and proven, and is not to be fetched anew. */
export function isReusable(
  { updater, archive, version, commit }: PreparationRequest,
  folder: string,
): boolean {
  const seal = readSeal(folder);
  if (seal?.version !== version || checkManifest(folder, "sizes") !== undefined) return false;
  const strategy = updater?.source_conflict_strategy ?? updater?.source_conflict_behaviour;
  if (archive !== undefined || strategy === "overwrite") return false;
  return commit === undefined || seal.commit === commit;
}

async function obtain(
  { paths, archive, updater, version, commit }: PreparationRequest,
  stage: string,
  { signal, onStep }: PrepareOptions,
): Promise<Source> {
  const onArchiveStep: OnArchiveStep = (step) => onStep(step, ARCHIVE_STEPS[step]);
  if (archive !== undefined) {
    onStep("check", `from ${archive}`);
    const trustedKeys = updater?.trusted_keys ?? [];
    const isOwn = isKept(paths, archive);
    const source = await openArchive({
      file: archive,
      isOwn,
      trustedKeys,
      stage,
      signal,
      onStep: onArchiveStep,
    });
    if (commit === undefined || source.commit === commit) return source;
    const message = `${archive} is of ${source.commit ?? "a commit that it does not tell"}, and general.software_commit wants ${commit}`;
    throw new UpdateRejectedError("verify", "IVY_COMMIT_MISMATCH", message);
  }
  if (!updater) {
    throw new UpdateRejectedError(
      "check",
      "IVY_NO_UPDATER",
      `version ${version} is not installed, and the configuration in force has no section updater that says where to fetch it`,
    );
  }
  onStep("fetch", `from ${updater.provider_host}`);
  return await downloadSourceCode({
    updater,
    version,
    stage,
    signal,
    onStep: onArchiveStep,
    ...(commit === undefined ? {} : { commit }),
  });
}

/** @throws UpdateRejectedError where the tree is not the one of the version that is asked for */
function checkIdentity(folder: string, version: string): void {
  const found = versionOf(join(folder, "package.json"));
  if (found === version) return;
  throw new UpdateRejectedError(
    "verify",
    "IVY_VERSION_MISMATCH",
    `its package.json says ${found ?? "no version"}, but the tag was that of version ${version}`,
  );
}

function versionOf(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8")).version;
  } catch {
    return undefined;
  }
}

async function makeRunnable(
  { paths, config, running, secrets }: PreparationRequest,
  { stage, folder }: { stage: string; folder: string },
  { signal, onStep }: PrepareOptions,
): Promise<void> {
  const configFile = join(stage, "config.json");
  replaceFile(configFile, JSON.stringify(config), 0o600);
  const step = { paths, folder, pnpm: pnpmOf(running), env: process.env, secrets, signal };
  onStep("install", "pnpm install --frozen-lockfile");
  await installDependencies(step);
  onStep("build", "pnpm run node:build");
  await buildVersion(step);
  onStep("test", "the suite version_change");
  await runVersionChangeTests({ ...step, configFile });
}
