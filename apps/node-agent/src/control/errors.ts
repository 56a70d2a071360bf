import { ownerOf } from "./owner.ts";

/** Nobody listens: the agent is not running. */
export class AgentNotRunningError extends Error {
  readonly code = "IVY_NOT_RUNNING";
  override readonly name = "AgentNotRunningError";

  constructor(dataDir: string, options?: ErrorOptions) {
    super(`No agent is running on ${dataDir}; start it first`, options);
  }
}

/** The main process is there, but does not answer: it is busy or hangs. */
export class AgentSilentError extends Error {
  readonly code = "IVY_NO_ANSWER";
  override readonly name = "AgentSilentError";

  constructor(timeoutMs: number, options?: ErrorOptions) {
    super(`The agent runs, but has not answered within ${timeoutMs / 1_000} s`, options);
  }
}

/** The agent is another user's, who alone may ask it for something or end it. */
export class NotOwnerError extends Error {
  readonly code = "IVY_NOT_OWNER";
  override readonly name = "NotOwnerError";

  /** @param file - one of the agent's, which tells whose it is */
  constructor(file: string, options?: ErrorOptions) {
    const owner = ownerOf(file);
    super(
      owner === undefined
        ? "The agent belongs to another user: run this as that user"
        : `The agent belongs to ${owner}: run this as that user (sudo -u ${owner} ...)`,
      options,
    );
  }
}
