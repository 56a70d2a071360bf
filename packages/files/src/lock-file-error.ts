/** A file cannot be a lock: its folder is missing or not to be written to, or it is something else. */
export class LockFileError extends Error {
  readonly code = "IVY_LOCK_FILE";
  override readonly name = "LockFileError";

  constructor(file: string, cause: unknown) {
    const what = cause instanceof Error ? cause.message : String(cause);
    const expected = "it must be an empty file, or none, in a folder that can be written to";
    super(`${file} cannot be used as a lock (${what}): ${expected}`, { cause });
  }
}
