import { UpdateRejectedError } from "../../errors.ts";

const MAX_PATH_BYTES = 1_024;
const MAX_NAME_BYTES = 255;

/**
 * The parts of the path of an entry below the one folder that an archive of a release holds.
 *
 * @throws UpdateRejectedError if the path leads anywhere else, or cannot be a path of this system
 */
export function entryPath(path: string): { top: string; parts: string[] } {
  if (path.startsWith("/")) throw refused(path, "is absolute");
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw refused(path, `is longer than ${MAX_PATH_BYTES} bytes`);
  const [top, ...parts] = path
    .replace(/^(\.\/)+/, "")
    .replace(/\/+$/, "")
    .split("/");
  for (const part of [top ?? "", ...parts]) {
    if (part === "" || part === "." || part === "..") throw refused(path, `has the part "${part}"`);
    if (part.includes("\0") || part.includes("\\"))
      throw refused(path, "has a character that no name may have");
    if (Buffer.byteLength(part) > MAX_NAME_BYTES)
      throw refused(path, `has a name longer than ${MAX_NAME_BYTES} bytes`);
    if (part.toLowerCase() === ".git") throw refused(path, "would be taken for git's own");
  }
  return { top: top ?? "", parts };
}

function refused(path: string, why: string): UpdateRejectedError {
  const shown = JSON.stringify(path.length > 100 ? `${path.slice(0, 100)}...` : path);
  return new UpdateRejectedError(
    "unpack",
    "IVY_ARCHIVE_PATH",
    `The archive has an entry that cannot be unpacked: its path ${shown} ${why}. Nothing of it has been unpacked`,
  );
}
