import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a tag stands for. */
export interface TaggedRelease {
  tag: string;
  commit: string;
  tree: string;
}

/** A bare git repository, as a code host keeps it. */
export interface TestRepository extends Disposable {
  /** Its folder, which is also a remote to clone from. */
  readonly path: string;
  /** Commits what a folder holds, except for what its `.gitignore` names, and tags the commit; a tag that exists is moved. */
  release(folder: string, tag: string): TaggedRelease;
  /** The archive that a code host makes of a commit: everything in one folder, gzip-compressed. */
  archive(commit: string, top?: string): Buffer;
  /** Runs git in it; what it printed. */
  git(...args: string[]): string;
}

const AUTHOR = { name: "Test", email: "test@example.com", date: "2026-01-01T00:00:00Z" };

/** @param path - folder of the repository; a temporary one if left out */
export function createRepository(path = mkdtempSync(join(tmpdir(), "ivy-repository-"))): TestRepository {
  const env = {
    PATH: process.env["PATH"],
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_DIR: path,
    GIT_AUTHOR_NAME: AUTHOR.name,
    GIT_AUTHOR_EMAIL: AUTHOR.email,
    GIT_AUTHOR_DATE: AUTHOR.date,
    GIT_COMMITTER_NAME: AUTHOR.name,
    GIT_COMMITTER_EMAIL: AUTHOR.email,
    GIT_COMMITTER_DATE: AUTHOR.date,
  };
  const run = (args: string[], more: Record<string, string> = {}): Buffer =>
    execFileSync("git", args, {
      env: { ...env, ...more },
      maxBuffer: 2 ** 30,
      stdio: ["ignore", "pipe", "pipe"],
    });
  const git = (...args: string[]) => run(args).toString().trim();
  git("init", "--bare", "--quiet", "--initial-branch=main", path);
  git("config", "uploadpack.allowAnySHA1InWant", "true");
  return {
    path,
    git,
    release(folder, tag) {
      const index = join(path, `index-${tag.replaceAll("/", "-")}`);
      const work = { GIT_WORK_TREE: folder, GIT_INDEX_FILE: index };
      run(["add", "--all", "."], work);
      const tree = run(["write-tree"], work).toString().trim();
      rmSync(index, { force: true });
      const commit = git("commit-tree", "-m", tag, tree);
      git("update-ref", "refs/heads/main", commit);
      git("tag", "--force", "--annotate", "-m", tag, tag, commit);
      return { tag, commit, tree };
    },
    archive(commit, top = "release") {
      return run(["archive", "--format=tar.gz", `--prefix=${top}/`, commit]);
    },
    [Symbol.dispose]() {
      rmSync(path, { recursive: true, force: true });
    },
  };
}
