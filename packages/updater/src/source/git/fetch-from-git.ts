import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UpdateRejectedError } from "../../errors.ts";
import {
  MANIFEST_NAME,
  type ReleaseManifest,
  SIGNATURE_NAME,
  verifyRelease,
} from "../../signature/release.ts";
import { ofManifest, tagsOf, unsigned, wrongCommit } from "../release.ts";
import type { SourceOptions, StagedArchive } from "../source-options.ts";
import { gitRemote } from "./remote.ts";
import { type GitOptions, runGit } from "./run-git.ts";

/** Where the manifest of a tag and its signature lie in a repository: a ref to a tree with the two files. */
const MANIFEST_REFS = "refs/ivy/releases";

/** What a repository says would make the archive differ from what was committed. */
const ATTRIBUTES = "* -text -eol -ident -filter -working-tree-encoding -export-ignore -export-subst\n";

/** Fetches the commit of a version from any git remote, without its history, and makes an archive of it. */
export async function fetchFromGit(options: SourceOptions): Promise<StagedArchive> {
  const { updater, stage, limits, signal } = options;
  const folder = join(stage, "repository.git");
  const file = join(stage, "artifact.part");
  const git: GitOptions = {
    folder,
    remote: gitRemote(updater),
    token: updater.access_token ?? undefined,
    limits,
    signal,
  };
  rmSync(folder, { recursive: true, force: true });
  try {
    await runGit(["init", "--quiet", "--bare", "--template="], git);
    const found = await findTag(git, options);
    const manifest = await signedManifest(found, git, options);
    const expected = manifest === undefined ? { commit: found.commit } : ofManifest(manifest, options);
    if (expected.commit !== found.commit) throw moved(found, String(expected.commit));
    await fetchRef(`refs/tags/${found.tag}`, git);
    const commit = await print(["rev-parse", "--verify", "FETCH_HEAD^{commit}"], git);
    if (commit !== found.commit) throw moved({ ...found, commit }, found.commit);
    const tree = expected.tree ?? (await print(["rev-parse", "--verify", `${commit}^{tree}`], git));
    mkdirSync(join(folder, "info"), { recursive: true });
    writeFileSync(join(folder, "info", "attributes"), ATTRIBUTES);
    await runGit(["archive", "--format=tar.gz", "-1", "--prefix=src/", `--output=${file}`, commit], git);
    return { file, expected: { commit, tree }, remove: () => rmSync(file, { force: true }) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface FoundTag {
  tag: string;
  commit: string;
  /** Whether the remote has a manifest for it. */
  isSigned: boolean;
}

async function findTag(git: GitOptions, { version, commit: wanted }: SourceOptions): Promise<FoundTag> {
  const tags = tagsOf(version);
  const patterns = tags.flatMap((tag) => [
    `refs/tags/${tag}`,
    `refs/tags/${tag}^{}`,
    `${MANIFEST_REFS}/${tag}`,
  ]);
  const listed = await print(["ls-remote", "--", git.remote.url, ...patterns], git);
  const refs = new Map(listed.split("\n").map((line) => line.split("\t").reverse() as [string, string]));
  for (const tag of tags) {
    // An annotated tag is an object of its own; what it stands for is listed behind it.
    const commit = refs.get(`refs/tags/${tag}^{}`) ?? refs.get(`refs/tags/${tag}`);
    if (commit === undefined) continue;
    const found = { tag, commit, isSigned: refs.has(`${MANIFEST_REFS}/${tag}`) };
    if (wanted !== undefined && commit !== wanted) throw moved(found, wanted);
    return found;
  }
  const message = `The remote has neither a tag ${tags.join(" nor a tag ")}: push it`;
  throw new UpdateRejectedError("fetch", "IVY_TAG_NOT_FOUND", message);
}

async function signedManifest(
  { tag, isSigned }: FoundTag,
  git: GitOptions,
  { updater, version }: SourceOptions,
): Promise<ReleaseManifest | undefined> {
  const trustedKeys = updater.trusted_keys ?? [];
  if (trustedKeys.length === 0) return undefined;
  if (!isSigned) throw unsigned(`The remote has no ${MANIFEST_REFS}/${tag}`);
  await fetchRef(`${MANIFEST_REFS}/${tag}`, git);
  const names = (await print(["ls-tree", "--name-only", "FETCH_HEAD"], git)).split("\n");
  if (!names.includes(MANIFEST_NAME) || !names.includes(SIGNATURE_NAME)) {
    throw unsigned(
      `${MANIFEST_REFS}/${tag} of the remote has not both of ${MANIFEST_NAME} and ${SIGNATURE_NAME}`,
    );
  }
  const read = (name: string) => runGit(["cat-file", "blob", `FETCH_HEAD:${name}`], git);
  const [manifest, signature] = [await read(MANIFEST_NAME), await read(SIGNATURE_NAME)];
  return verifyRelease({ manifest, signature: signature.toString(), trustedKeys, version });
}

async function fetchRef(ref: string, git: GitOptions): Promise<void> {
  const how = ["--quiet", "--no-tags", "--depth=1"];
  await runGit(["fetch", ...how, "--", git.remote.url, ref], git);
}

async function print(args: readonly string[], git: GitOptions): Promise<string> {
  return (await runGit(args, git)).toString().trim();
}

function moved({ tag, commit }: Pick<FoundTag, "tag" | "commit">, wanted: string): UpdateRejectedError {
  return wrongCommit(`The tag ${tag} of the remote stands for the commit ${commit}`, wanted);
}
