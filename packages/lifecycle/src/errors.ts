/** The lifecycle of a process is used the wrong way: a mistake in the program, not in the process. */
export class LifecycleUsageError extends Error {
  readonly code = "IVY_LIFECYCLE_USAGE";
  override readonly name = "LifecycleUsageError";
}

/** The agent runs already. */
export class AutomationLockedError extends Error {
  readonly code = "IVY_ALREADY_RUNNING";
  override readonly name = "AutomationLockedError";
  /** The process that holds the lock, if the kernel tells. */
  readonly holder: number | undefined;

  constructor(lockFile: string, holder: number | undefined) {
    const who = holder === undefined ? "a process that cannot be seen from here" : `process ${holder}`;
    super(`The agent runs already: ${who} holds ${lockFile}. Stop it before you start another one`);
    this.holder = holder;
  }
}

/** The main loop has not come up. */
export class StartError extends Error {
  readonly code = "IVY_START_FAILED";
  override readonly name = "StartError";
}

/** The main process does not end, whatever is done. */
export class StopError extends Error {
  readonly code = "IVY_STOP_FAILED";
  override readonly name = "StopError";

  constructor(pid: number, killedMs: number) {
    super(
      `Process ${pid} was killed ${killedMs / 1_000} s ago and does not end: ` +
        "the kernel holds it, as where a device or a disk does not answer. Look at `dmesg`, and start the machine anew",
    );
  }
}
