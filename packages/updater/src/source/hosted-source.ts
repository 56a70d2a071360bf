import { createHash } from "node:crypto";
import { join } from "node:path";
import { UpdateRejectedError } from "../errors.ts";
import {
  ARCHIVE_NAME,
  MANIFEST_NAME,
  type ReleaseManifest,
  SIGNATURE_NAME,
  verifyRelease,
} from "../signature/release.ts";
import { chooseHost } from "./hosts/choose-host.ts";
import type { Asked, CodeHost } from "./hosts/code-host.ts";
import { download } from "./http/download.ts";
import { PartFile } from "./http/part-file.ts";
import { fetchSmall } from "./http/small-file.ts";
import { ofManifest, tagsOf, unsigned, wrongCommit } from "./release.ts";
import type { SourceOptions, StagedArchive } from "./source-options.ts";
import type { Expected } from "./verify-and-unpack.ts";

/** Downloads the archive of a version from GitHub or GitLab, after everything has been checked that can be before. */
export async function fetchFromHost(options: SourceOptions): Promise<StagedArchive> {
  const host = chooseHost(options.updater);
  const release = await signedRelease(host, options);
  const expected =
    release === undefined ? await tagged(host, options) : ofManifest(release.manifest, options);
  for (const asked of await candidates(host, { release, expected, ...options })) {
    const staged = await stageArchive(host, asked, options);
    if (staged !== undefined) return { ...staged, expected };
  }
  throw expected.sha256 === undefined ? notFound(host, options) : noAsset(host, options);
}

interface SignedRelease {
  tag: string;
  manifest: ReleaseManifest;
}

/** The manifest of a version, if releases must be signed. */
async function signedRelease(
  host: CodeHost,
  { updater, version, signal }: SourceOptions,
): Promise<SignedRelease | undefined> {
  const trustedKeys = updater.trusted_keys ?? [];
  if (trustedKeys.length === 0) return undefined;
  for (const tag of tagsOf(version)) {
    const manifest = await fetchAsset(host, tag, MANIFEST_NAME, signal);
    const signature = manifest && (await fetchAsset(host, tag, SIGNATURE_NAME, signal));
    if (manifest === undefined || signature === undefined) continue;
    return {
      tag,
      manifest: verifyRelease({ manifest, signature: signature.toString(), trustedKeys, version }),
    };
  }
  throw unsigned(
    `${host.name} has, or shows, no release v${version} with the files ${MANIFEST_NAME} and ${SIGNATURE_NAME}`,
  );
}

/** Holds the commit of the tag against the wanted one, if there is one. */
async function tagged(host: CodeHost, options: SourceOptions): Promise<Expected> {
  if (options.commit === undefined) return {};
  for (const tag of tagsOf(options.version)) {
    const found = await host.resolveTag(tag, options.signal);
    if (found === undefined) continue;
    if (found.commit === options.commit) return found;
    throw wrongCommit(`The tag ${tag} of ${host.name} stands for the commit ${found.commit}`, options.commit);
  }
  throw notFound(host, options);
}

/** What to download, in the order in which to try: by the commit if it is known, for a tag may move meanwhile. */
async function candidates(
  host: CodeHost,
  {
    release,
    expected,
    version,
    signal,
  }: SourceOptions & { release: SignedRelease | undefined; expected: Expected },
): Promise<Asked[]> {
  if (release !== undefined && expected.sha256 !== undefined) {
    const asset = await host.asset(release.tag, ARCHIVE_NAME, signal);
    return asset === undefined ? [] : [asset];
  }
  if (expected.commit !== undefined) return [host.archive({ commit: expected.commit })];
  return tagsOf(version).map((tag) => host.archive({ tag }));
}

async function stageArchive(
  { name, credentials }: CodeHost,
  asked: Asked,
  { stage, version, limits, signal, onProgress }: SourceOptions,
): Promise<Omit<StagedArchive, "expected"> | undefined> {
  const target = createHash("sha256").update(asked.url).digest("hex");
  using part = new PartFile(join(stage, "artifact"), target);
  const what = `the archive of version ${version} of ${name}`;
  if (!(await download({ ...asked, credentials, what, part, limits, signal, onProgress }))) return undefined;
  return { file: part.file, remove: () => part.remove() };
}

async function fetchAsset(
  { name: host, credentials, ...of }: CodeHost,
  tag: string,
  name: string,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  const asked = await of.asset(tag, name, signal);
  return asked && fetchSmall(asked.url, { ...asked, credentials, what: `${name} of ${host} ${tag}`, signal });
}

function notFound({ name, credentials }: CodeHost, { version }: SourceOptions): UpdateRejectedError {
  const advice =
    Object.keys(credentials).length > 0
      ? "push the tag, and see whether updater.access_token covers this repository"
      : "push the tag or, if the repository is private, give updater.access_token";
  const message = `${name} has neither a tag v${version} nor a tag ${version}, or does not show it: ${advice}`;
  return new UpdateRejectedError("fetch", "IVY_TAG_NOT_FOUND", message);
}

function noAsset({ name }: CodeHost, { version }: SourceOptions): UpdateRejectedError {
  const message = `The signed manifest of version ${version} of ${name} names an archive, but there is no ${ARCHIVE_NAME} beside it`;
  return new UpdateRejectedError("fetch", "IVY_ASSET_NOT_FOUND", message);
}
