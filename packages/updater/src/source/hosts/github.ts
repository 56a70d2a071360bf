import type { UpdaterConfig } from "@ivy/types";
import * as z from "zod/mini";
import { askApi } from "./ask-api.ts";
import type { CodeHost } from "./code-host.ts";

const Commit = z.object({ sha: z.string(), commit: z.object({ tree: z.object({ sha: z.string() }) }) });

const Release = z.object({ assets: z.array(z.object({ id: z.int(), name: z.string() })) });

const API = {
  accept: "application/vnd.github+json",
  "x-github-api-version": "2022-11-28",
  "user-agent": "ivy-updater",
};

/** GitHub, and GitHub Enterprise on a host of one's own. */
export function githubHost({ provider_host: host, repository, access_token }: UpdaterConfig): CodeHost {
  const api = host === "github.com" ? "https://api.github.com" : `https://${host}/api/v3`;
  const base = `${api}/repos/${repository}`;
  const credentials: Record<string, string> = access_token ? { authorization: `Bearer ${access_token}` } : {};
  // Asked once for all assets of a release: GitHub counts requests.
  const releases = new Map<string, ReturnType<typeof findRelease>>();
  const findRelease = (tag: string, signal: AbortSignal) => {
    const url = `${base}/releases/tags/${encodeURIComponent(tag)}`;
    const what = `the release ${tag}`;
    const found = askApi({ url, headers: API }, { schema: Release, credentials, what, signal });
    releases.set(tag, found);
    return found;
  };
  return {
    name: `${host}/${repository}`,
    credentials,
    async resolveTag(tag, signal) {
      const url = `${base}/commits/${encodeURIComponent(`tags/${tag}`)}`;
      const found = await askApi(
        { url, headers: API },
        // 422: there is a repository, but no such commit in it.
        { schema: Commit, credentials, what: `the commit of ${tag}`, missing: [404, 422], signal },
      );
      return found && { commit: found.sha, tree: found.commit.tree.sha };
    },
    archive(of) {
      const ref = "tag" in of ? `refs/tags/${encodeURIComponent(of.tag)}` : of.commit;
      return { url: `${base}/tarball/${ref}`, headers: API };
    },
    async asset(tag, name, signal) {
      const release = await (releases.get(tag) ?? findRelease(tag, signal));
      const found = release?.assets.find((asset) => asset.name === name);
      const headers = { ...API, accept: "application/octet-stream" };
      return found && { url: `${base}/releases/assets/${found.id}`, headers };
    },
  };
}
