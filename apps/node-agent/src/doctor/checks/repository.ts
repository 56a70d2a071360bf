import type { UpdaterConfig } from "@ivy/types";
import { type Check, failure, ok, skipped } from "../check.ts";

const MEND = "look at updater.provider_host, at the link and at the clock";

const repository: Check = {
  name: "repository",
  look: async ({ config, system }) => {
    const updater = config?.updater;
    if (!updater) return skipped("no updater is configured");
    if (updater.remote !== undefined) return skipped("a git remote of its own is not tried");
    const { url, headers } = questionFor(updater);
    try {
      return judge(await system.request(url, headers), updater);
    } catch (error) {
      const cause = (error as Error).cause ?? error;
      return failure(`${updater.provider_host} cannot be reached: ${(cause as Error).message}`, MEND);
    }
  },
};

function questionFor(updater: UpdaterConfig): { url: string; headers: Record<string, string> } {
  const { provider, provider_host: host, repository: name, access_token: token } = updater;
  const api = host === "github.com" ? "https://api.github.com" : `https://${host}/api/v3`;
  if (provider === "github") {
    const headers: Record<string, string> = { "user-agent": "ivy" };
    return {
      url: `${api}/repos/${name}`,
      headers: token ? { ...headers, authorization: `Bearer ${token}` } : headers,
    };
  }
  if (provider === "gitlab") {
    const url = `https://${host}/api/v4/projects/${encodeURIComponent(name)}`;
    return { url, headers: token ? { "private-token": token } : {} };
  }
  return { url: `https://${host}/${name}.git/info/refs?service=git-upload-pack`, headers: {} };
}

function judge(status: number, { provider, repository: name, provider_host: host }: UpdaterConfig) {
  if (status < 400) return ok(`${name} at ${host} can be reached`);
  // Without its credentials, which git alone knows, a private repository looks like none.
  if (provider === "git" || status === 429) return ok(`${host} answers`);
  if (status >= 500) return failure(`${host} answers with ${status}`, "wait: it is the code host's trouble");
  return failure(
    `${host} does not give ${name}: it answers with ${status}`,
    "correct updater.repository, or updater.access_token: it may have ended or not be allowed to read",
  );
}

export const REPOSITORY_CHECKS = [repository];
