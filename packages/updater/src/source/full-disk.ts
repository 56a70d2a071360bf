import { isCode } from "@ivy/files";
import { UpdateDeferredError } from "../errors.ts";

/** A full disk says nothing about a version. */
export async function deferringFullDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!isCode(cause, "ENOSPC", "EDQUOT")) throw cause;
    const message = `There is no room left to fetch the new version: ${(cause as Error).message}`;
    throw new UpdateDeferredError("fetch", "IVY_NO_ROOM", message, { cause });
  }
}
