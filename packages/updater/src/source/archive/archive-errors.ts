import { UpdateDeferredError, UpdateRejectedError } from "../../errors.ts";

export function damaged(why: string, cause?: unknown): UpdateDeferredError {
  const message = `The archive is damaged: ${why}. It has to be fetched anew`;
  return new UpdateDeferredError("unpack", "IVY_ARCHIVE_DAMAGED", message, { cause });
}

export function tooLarge(why: string): UpdateRejectedError {
  return new UpdateRejectedError(
    "unpack",
    "IVY_ARCHIVE_TOO_LARGE",
    `The archive is larger than a release may be: ${why}. Nothing of it has been unpacked`,
  );
}

export function notOneFolder(one: string, other: string): UpdateRejectedError {
  return new UpdateRejectedError(
    "unpack",
    "IVY_ARCHIVE_PATH",
    `All of a release lies in one folder of its archive, but this one has ${JSON.stringify(one)} and ` +
      `${JSON.stringify(other)}; make it with git archive --prefix=NAME/ or download it from the code host`,
  );
}
