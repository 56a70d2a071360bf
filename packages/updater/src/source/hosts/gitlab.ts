import type { UpdaterConfig } from "@ivy/types";
import * as z from "zod/mini";
import { askApi } from "./ask-api.ts";
import type { CodeHost } from "./code-host.ts";

const Tag = z.object({ commit: z.object({ id: z.string() }) });

const API = { "user-agent": "ivy-updater" };

/** GitLab, on any host; the repository may lie in subgroups. */
export function gitlabHost({ provider_host: host, repository, access_token }: UpdaterConfig): CodeHost {
  const base = `https://${host}/api/v4/projects/${encodeURIComponent(repository)}`;
  const credentials: Record<string, string> = access_token ? { "private-token": access_token } : {};
  return {
    name: `${host}/${repository}`,
    credentials,
    async resolveTag(tag, signal) {
      const url = `${base}/repository/tags/${encodeURIComponent(tag)}`;
      const what = `the commit of ${tag}`;
      const found = await askApi({ url, headers: API }, { schema: Tag, credentials, what, signal });
      return found && { commit: found.commit.id };
    },
    archive(of) {
      const ref = "tag" in of ? of.tag : of.commit;
      return { url: `${base}/repository/archive.tar.gz?sha=${encodeURIComponent(ref)}`, headers: API };
    },
    async asset(tag, name) {
      return { url: `${base}/releases/${encodeURIComponent(tag)}/downloads/${name}`, headers: API };
    },
  };
}
