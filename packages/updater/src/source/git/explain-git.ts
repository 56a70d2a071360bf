import { UpdateDeferredError, UpdateRejectedError } from "../../errors.ts";

/** What git says when it is sure that the repository is not there for us, or not there at all. */
const REFUSED: [RegExp, string, string][] = [
  [
    /Authentication failed|could not read (Username|Password)|error: 40[13]|Permission denied \(|HTTP Basic: Access denied/i,
    "IVY_ACCESS_DENIED",
    "give an updater.access_token that covers this repository or, for ssh, a key that the host knows",
  ],
  [
    /Host key verification failed/i,
    "IVY_ACCESS_DENIED",
    "the host is not in the file known_hosts of the user that the agent runs as: connect to it once with ssh",
  ],
  [
    /repository '.*' not found|Repository not found|does not appear to be a git repository|does not exist|error: 404/i,
    "IVY_REPOSITORY_NOT_FOUND",
    "see updater.remote, updater.provider_host and updater.repository",
  ],
  [
    /error: 30\d|unable to update url base from redirection/i,
    "IVY_BAD_REDIRECT",
    "the host redirects, which is not followed: name the address that it redirects to",
  ],
  [/File too large/i, "IVY_ARCHIVE_TOO_LARGE", "the version is larger than a release may be"],
  [
    /transport '.*' not allowed/i,
    "IVY_REMOTE_INVALID",
    "the host wants another protocol, which is not followed",
  ],
];

/** Sorts out why git has failed. What is not surely for good may pass. */
export function explainGit(command: string, stderr: string): UpdateDeferredError | UpdateRejectedError {
  const said = stderr.trim().split("\n").slice(-6).join("; ");
  for (const [pattern, code, advice] of REFUSED) {
    if (!pattern.test(stderr)) continue;
    return new UpdateRejectedError("fetch", code, `${command} failed: ${advice}`, { output: stderr });
  }
  if (/No space left on device|Disk quota exceeded/i.test(stderr)) {
    return new UpdateDeferredError("fetch", "IVY_NO_ROOM", `There is no room left for ${command}: ${said}`);
  }
  const known = /Could not resolve|Failed to connect|Connection|timed out|unreachable|SSL|certificate/i.test(
    stderr,
  );
  const code = known ? "IVY_HOST_UNREACHABLE" : "IVY_GIT_FAILED";
  return new UpdateDeferredError("fetch", code, `${command} failed: ${said || "it was ended"}`);
}
