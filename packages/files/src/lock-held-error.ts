/** Another process holds the lock. */
export class LockHeldError extends Error {
  readonly code = "IVY_LOCK_HELD";
  override readonly name = "LockHeldError";
  /** The process that holds the lock, if the kernel tells. */
  readonly holder: number | undefined;

  constructor(file: string, holder: number | undefined, waitedMs: number) {
    const who = holder === undefined ? "another process" : `process ${holder}`;
    super(`${file} is locked by ${who} (waited ${waitedMs} ms); stop that process or try again later`);
    this.holder = holder;
  }
}
