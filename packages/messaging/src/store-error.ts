/** Messages could not be stored. What was stored before is intact. */
export class StoreWriteError extends Error {
  readonly code = "IVY_STORE_WRITE";
  override readonly name = "StoreWriteError";
  /** How many of the messages of the call are stored all the same: the first ones, where the disk became full. */
  readonly stored: number;

  constructor(file: string, cause: unknown, stored = 0) {
    const what = cause instanceof Error ? cause.message : String(cause);
    const but =
      stored === 0 ? "Nothing of it is stored" : `Only the first ${stored} of its messages are stored`;
    super(`A call could not append to ${file}: ${what}. ${but}; what was stored before is intact`, { cause });
    this.stored = stored;
  }
}

/** The queue cannot be read or changed now, for the disk is full or read-only. Messages can be sent, and added again later. */
export class QueueUnavailableError extends Error {
  readonly code = "IVY_QUEUE_UNAVAILABLE";
  override readonly name = "QueueUnavailableError";

  constructor(file: string, cause: Error) {
    const why = `the disk is full, read-only or not ours to write to, probably (${cause.message})`;
    super(`${file} cannot be used now: ${why}; it is tried again at each use`, { cause });
  }
}

/** An agent is used after its `teardown`. */
export class TornDownError extends Error {
  readonly code = "IVY_TORN_DOWN";
  override readonly name = "TornDownError";

  constructor(dataDir: string) {
    super(`The messaging agent of ${dataDir} has been torn down: use it before that, or create another one`);
  }
}

/** A message does not fit the schema, or JSON cannot hold it, so it was not stored. */
export class InvalidMessageError extends Error {
  readonly code = "IVY_MESSAGE_INVALID";
  override readonly name = "InvalidMessageError";

  constructor(problems: readonly { path: string; problem: string }[], cause?: unknown) {
    const all = problems.map(({ path, problem }) => `${path}: ${problem}`).join("; ");
    super(`A message was refused: ${all}`, { cause });
  }
}

/** An option or an argument is not what it must be. */
export class InvalidArgumentError extends Error {
  readonly code = "IVY_ARGUMENT_INVALID";
  override readonly name = "InvalidArgumentError";

  constructor(argument: string, expected: string, came: unknown) {
    super(`${argument} must be ${expected}; came ${String(came)}`);
  }
}
