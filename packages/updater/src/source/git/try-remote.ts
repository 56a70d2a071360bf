import type { UpdaterConfig } from "@ivy/types";
import { DEFAULT_LIMITS } from "../limits.ts";
import { gitRemote } from "./remote.ts";
import { runGit } from "./run-git.ts";

/** Git needs none to ask a remote, and with a name it does not look for one. */
const NO_REPOSITORY = "/dev/null";

/**
 * Asks the git remote that versions are fetched from for what it has, as an update would: with the same rights, and
 * without ever asking anybody.
 *
 * @param timeoutMs - how long it may take, in milliseconds
 * @throws UpdateDeferredError, UpdateRejectedError, which tell what to do
 */
export async function tryRemote(updater: UpdaterConfig, timeoutMs: number): Promise<void> {
  const remote = gitRemote(updater);
  await runGit(["ls-remote", "--quiet", "--", remote.url, "HEAD"], {
    folder: NO_REPOSITORY,
    remote,
    token: updater.access_token ?? undefined,
    limits: { ...DEFAULT_LIMITS, totalMs: timeoutMs },
    signal: new AbortController().signal,
  });
}
