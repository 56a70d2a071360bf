import type { UpdaterConfig } from "@ivy/types";
import { UpdateRejectedError } from "../../errors.ts";

/** What git fetches from. */
export interface GitRemote {
  url: string;
  /** The one way that git may take, whatever the other side says. */
  protocol: "https" | "ssh" | "file";
  /** Where the token may go: nowhere else than there. */
  origin?: string;
}

/**
 * Reads what to clone from, and refuses everything that git could take for an option or a program to run.
 *
 * @throws UpdateRejectedError `IVY_REMOTE_INVALID`
 */
export function gitRemote({ remote, provider_host, repository }: UpdaterConfig): GitRemote {
  const url = remote ?? `https://${provider_host}/${repository}.git`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
  if (/[\x00-\x20\x7f]/.test(url)) throw invalid("has a space or control character");
  if (url.startsWith("/")) return { url, protocol: "file" };
  if (/^[A-Za-z0-9._~]+@[A-Za-z0-9][A-Za-z0-9.-]*:(?!:)[^-]/.test(url)) return { url, protocol: "ssh" };
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.password) throw invalid("has a password in it; give it as updater.access_token");
  // A token may stand there, and would be an argument of git.
  if (parsed?.protocol === "https:" && parsed.username !== "")
    throw invalid("has a user name before the host; give a token as updater.access_token");
  if (parsed?.protocol === "https:") return { url, protocol: "https", origin: parsed.origin };
  const named = /^[A-Za-z0-9[]/.test(parsed?.hostname ?? "") && !parsed?.username.startsWith("-");
  if (parsed?.protocol === "ssh:" && named) return { url, protocol: "ssh" };
  if (parsed?.protocol === "file:" && parsed.host === "") return { url, protocol: "file" };
  throw invalid(
    "is not one of https://HOST/PATH, ssh://USER@HOST/PATH, USER@HOST:PATH, /PATH and file:///PATH",
  );
}

/** The remote itself is not told: a password may be in it. */
function invalid(why: string): UpdateRejectedError {
  return new UpdateRejectedError("check", "IVY_REMOTE_INVALID", `updater.remote ${why}`);
}
