/** Another process holds the lock, or another part of this one. */
export class LockHeldError extends Error {
  readonly code = "IVY_LOCK_HELD";
  override readonly name = "LockHeldError";
  /** The process that holds the lock, if the kernel tells. */
  readonly holder: number | undefined;

  constructor(file: string, holder: number | undefined, waitedMs: number) {
    super(`${file} is locked by ${nameOf(holder)} (waited ${waitedMs} ms); ${adviceFor(holder)}`);
    this.holder = holder;
  }
}

function nameOf(holder: number | undefined): string {
  if (holder === process.pid) return `this process itself, ${holder}`;
  return holder === undefined ? "another process" : `process ${holder}`;
}

function adviceFor(holder: number | undefined): string {
  return holder === process.pid
    ? "release it where it was taken before"
    : "stop that process or try again later";
}
