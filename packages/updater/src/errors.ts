/** The part of a change that failed. */
export type UpdateStep =
  | "check"
  | "fetch"
  | "verify"
  | "unpack"
  | "install"
  | "build"
  | "test"
  | "seal"
  | "trial";

interface Details extends ErrorOptions {
  /** End of what the step printed, with secrets struck out. */
  output?: string;
}

/** A change that will never succeed as it is: it is rejected, and not tried again. */
export class UpdateRejectedError extends Error {
  override readonly name = "UpdateRejectedError";
  /** Stable, like `IVY_TAG_NOT_FOUND`. */
  readonly code: string;
  readonly step: UpdateStep;
  readonly output: string | undefined;

  constructor(step: UpdateStep, code: string, message: string, { output, ...options }: Details = {}) {
    super(message, options);
    this.step = step;
    this.code = code;
    this.output = output;
  }
}

/** A change that cannot be made now, for a reason that says nothing about it: network, disk, clock, rate limit. */
export class UpdateDeferredError extends Error {
  override readonly name = "UpdateDeferredError";
  /** Stable, like `IVY_HOST_UNREACHABLE`. */
  readonly code: string;
  readonly step: UpdateStep;
  /** Not to be tried again before so many seconds have passed, if somebody said so. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    step: UpdateStep,
    code: string,
    message: string,
    { retryAfterSeconds, ...options }: ErrorOptions & { retryAfterSeconds?: number } = {},
  ) {
    super(message, options);
    this.step = step;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
