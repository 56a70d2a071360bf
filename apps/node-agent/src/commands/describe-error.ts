import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname } from "node:path";
import { isCode } from "@ivy/files";
import { ownerOf } from "../control/owner.ts";

/** An error in words for whoever has typed the command: what the system says is said with what to do. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const forbidden = forbiddenFile(error);
  if (forbidden !== undefined) return describeRights(forbidden);
  const { code, path } = error as NodeJS.ErrnoException;
  switch (code) {
    case "ENOENT":
      return path === undefined ? error.message : `${path} does not exist; check the name and the folder`;
    case "EROFS":
      return `${path ?? "A file"} cannot be written, for its file system is read-only; mount it to be written to`;
    case "EISDIR":
      return `${path ?? "What was named"} is a folder; name a file`;
    case "ENOSPC":
      return `There is no room left for ${path ?? "what is printed"}; delete old files, or write to another disk`;
    default:
      return error.message;
  }
}

/** The file that this user may not use, where that is behind an error. */
function forbiddenFile(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (isCode(cause, "EACCES", "EPERM")) return (cause as NodeJS.ErrnoException).path;
  return undefined;
}

function describeRights(path: string): string {
  let there = path;
  while (!existsSync(there) && there !== dirname(there)) there = dirname(there);
  const [owner, user] = [ownerOf(there), nameOfUser()];
  if (owner === undefined || owner === user)
    return `${user} may not use ${path}; change the rights of it or of its folder`;
  const what = there === path ? "it" : there;
  return `${user} may not use ${path}, for ${what} belongs to ${owner}; run this as that user (sudo -u ${owner} ...)`;
}

function nameOfUser(): string {
  try {
    return userInfo().username;
  } catch {
    // It has no name on this machine.
    return `#${process.getuid?.()}`;
  }
}
