import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { KernelLock, lockHolder } from "@ivy/files";
import { AutomationLockedError } from "./errors.ts";
import { isShared, withSharedLock } from "./shared-lock.ts";

export interface AutomationLockOptions {
  /** The lock file; its folder is created if it is missing. */
  lockFile: string;
  /** Told of trouble with the lock while it is held. */
  warn: (text: string) => void;
}

/**
 * Runs a function while holding the lock of the automation: one instance at a time.
 *
 * The kernel keeps the lock. It ends with its holder, at once, by whatever death; no clock and no file time has a say.
 * Only where the lock file lies on a file system that other machines share, one that they respect comes on top.
 *
 * @throws AutomationLockedError where another instance runs; names its process
 */
export async function withAutomationLock<Result>(
  { lockFile, warn }: AutomationLockOptions,
  run: () => Promise<Result>,
): Promise<Result> {
  mkdirSync(dirname(lockFile), { recursive: true });
  using lock = new KernelLock(lockFile);
  if (!lock.tryAcquire()) throw new AutomationLockedError(lockFile, lockHolder(lockFile));
  return isShared(lockFile) ? await withSharedLock(lockFile, warn, run) : await run();
}
