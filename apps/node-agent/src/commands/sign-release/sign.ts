import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import { signRelease } from "@ivy/updater";
import { say } from "../say.ts";

export interface SignOptions {
  key: string;
  repository: string;
  archive?: string;
  output: string;
  store?: true;
}

export async function sign(
  version: string,
  { key, repository, archive, output, store }: SignOptions,
): Promise<void> {
  const { tag, commit, tree } = findTag(version, repository);
  expectPlainFiles(tree, tag, repository);
  const about = {
    version,
    commit,
    tree,
    ...(archive === undefined ? {} : { archive_sha256: await sha256(archive) }),
  };
  const { manifest, signature } = signRelease(about, readFileSync(key, "utf8"));
  writeFileSync(output, manifest);
  writeFileSync(`${output}.minisig`, signature);
  say(`${tag} (commit ${commit}, tree ${tree}) is signed in ${output} and ${output}.minisig`);
  if (store) say(`Now push it: git push origin ${tag} ${storeIn(repository, { tag, manifest, signature })}`);
}

function findTag(version: string, repository: string): { tag: string; commit: string; tree: string } {
  const tags = git(repository, ["tag", "--list", `v${version}`, version]).split("\n");
  const tag = [`v${version}`, version].find((name) => tags.includes(name));
  if (tag === undefined) {
    throw new Error(
      `${repository} has neither a tag v${version} nor a tag ${version}: make it with git tag v${version}`,
    );
  }
  const [commit = "", tree = ""] = ["commit", "tree"].map((kind) =>
    git(repository, ["rev-parse", "--verify", `refs/tags/${tag}^{${kind}}`]),
  );
  return { tag, commit, tree };
}

/** What no node would unpack need not be signed. */
function expectPlainFiles(tree: string, tag: string, repository: string): void {
  const odd = git(repository, ["ls-tree", "-r", tree])
    .split("\n")
    .find((line) => /^1[26]0000 /.test(line));
  if (odd === undefined) return;
  throw new Error(
    `${tag} has the link or submodule ${odd.split("\t")[1]}: nodes only take files and folders`,
  );
}

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest("hex");
}

/** @returns the ref to push */
function storeIn(
  repository: string,
  { tag, manifest, signature }: { tag: string; manifest: string; signature: string },
): string {
  const blob = (content: string) => git(repository, ["hash-object", "-w", "--stdin"], content);
  const names = { "ivy-release.json": manifest, "ivy-release.json.minisig": signature };
  const lines = Object.entries(names).map(([name, content]) => `100644 blob ${blob(content)}\t${name}\n`);
  const ref = `refs/ivy/releases/${tag}`;
  git(repository, ["update-ref", ref, git(repository, ["mktree"], lines.join(""))]);
  return ref;
}

function git(repository: string, args: readonly string[], input?: string): string {
  const options = { ...(input === undefined ? {} : { input }), maxBuffer: 2 ** 28 };
  return execFileSync("git", ["-C", repository, ...args], options)
    .toString()
    .trim();
}
