/** A message could not be stored. What was stored before is intact. */
export class StoreWriteError extends Error {
  readonly code = "IVY_STORE_WRITE";
  override readonly name = "StoreWriteError";

  constructor(file: string, cause: unknown) {
    const what = cause instanceof Error ? cause.message : String(cause);
    super(
      `A message could not be appended to ${file}: ${what}. It is not stored; what was stored before is intact`,
      { cause },
    );
  }
}

/** A message does not fit the schema, so it was not stored. */
export class InvalidMessageError extends Error {
  readonly code = "IVY_MESSAGE_INVALID";
  override readonly name = "InvalidMessageError";

  constructor(problems: readonly { path: string; problem: string }[]) {
    super(`A message was refused: ${problems.map(({ path, problem }) => `${path}: ${problem}`).join("; ")}`);
  }
}
