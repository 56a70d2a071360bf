import type { UpdaterConfig } from "@ivy/types";
import { type Check, type Finding, failure, ok, skipped } from "../check.ts";
import type { System } from "../system.ts";

const MEND = "look at updater.provider_host, at the link and at the clock";

const repository: Check = {
  name: "repository",
  look: async ({ config, system }) => {
    const updater = config?.updater;
    if (!updater) return skipped("no updater is configured");
    if (updater.provider === "git") return tryRemote(updater, system);
    const { url, headers } = questionFor(updater);
    try {
      return judge(await system.request(url, headers), updater);
    } catch (error) {
      const cause = (error as Error).cause ?? error;
      return failure(`${updater.provider_host} cannot be reached: ${(cause as Error).message}`, MEND);
    }
  },
};

/** Git alone knows its keys, and what the user's ssh knows of the host. */
async function tryRemote(updater: UpdaterConfig, system: System): Promise<Finding> {
  const { remote, repository: name, provider_host: host } = updater;
  const where = remote === undefined ? `${name} at ${host}` : "updater.remote";
  try {
    await system.tryRemote(updater);
    return ok(`${where} can be read with git`);
  } catch (error) {
    return failure(
      `${where} cannot be read: ${(error as Error).message}`,
      "run git ls-remote with it, as the user that the agent runs as, until that asks nothing and fails no more",
    );
  }
}

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
  const url = `https://${host}/api/v4/projects/${encodeURIComponent(name)}`;
  return { url, headers: token ? { "private-token": token } : {} };
}

function judge(status: number, { repository: name, provider_host: host }: UpdaterConfig) {
  if (status < 400) return ok(`${name} at ${host} can be reached`);
  if (status === 429) return ok(`${host} answers`);
  if (status >= 500) return failure(`${host} answers with ${status}`, "wait: it is the code host's trouble");
  return failure(
    `${host} does not give ${name}: it answers with ${status}`,
    "correct updater.repository, or updater.access_token: it may have ended or not be allowed to read",
  );
}

export const REPOSITORY_CHECKS = [repository];
