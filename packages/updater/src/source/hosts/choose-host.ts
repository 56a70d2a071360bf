import type { UpdaterConfig } from "@ivy/types";
import { UpdateRejectedError } from "../../errors.ts";
import type { CodeHost } from "./code-host.ts";
import { githubHost } from "./github.ts";
import { gitlabHost } from "./gitlab.ts";

/** @throws UpdateRejectedError if the configuration names a repository that cannot be one */
export function chooseHost(updater: UpdaterConfig): CodeHost {
  const { repository, provider } = updater;
  if (repository.split("/").some((part) => part === "." || part === "..")) {
    const message = `updater.repository is ${repository}, and no part of it may be "." or ".."`;
    throw new UpdateRejectedError("check", "IVY_REPOSITORY_INVALID", message);
  }
  return provider === "gitlab" ? gitlabHost(updater) : githubHost(updater);
}
