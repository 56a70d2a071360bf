import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { AutomationLockedError } from "./errors.ts";

/** Types of file systems that several machines can share (`statfs(2)`): NFS, SMB, SMB2, 9P, FUSE. */
const SHARED_FILE_SYSTEMS = [0x6969, 0x517b, 0xfe534d42, 0x01021997, 0x65735546];

/** A holder that has not shown a sign of life for this long, in milliseconds, is taken for dead. */
const STALE_MS = 3_600_000;

/** Whether other machines may see a file too: the locks of this machine's kernel do not bind them. */
export function isShared(file: string): boolean {
  return SHARED_FILE_SYSTEMS.includes(statfsSync(dirname(file)).type);
}

/**
 * Runs a function while holding a lock that other machines respect as well: a folder beside the lock file, kept fresh.
 * It believes the clocks of the machines, so it only ever comes on top of the kernel's lock.
 *
 * @param warn - told when another machine has taken the lock away, which a clock that jumps can cause
 * @throws AutomationLockedError where another machine holds it
 */
export async function withSharedLock<Result>(
  lockFile: string,
  warn: (text: string) => void,
  run: () => Promise<Result>,
): Promise<Result> {
  const { lock } = await import("proper-lockfile");
  const options = {
    realpath: false,
    stale: STALE_MS,
    update: STALE_MS / 4,
    onCompromised: (error: Error) => warn(error.message),
  };
  const release = await lock(lockFile, options).catch(() => {
    throw new AutomationLockedError(`${lockFile}.lock`, undefined);
  });
  try {
    return await run();
  } finally {
    await release().catch((error: Error) => warn(error.message));
  }
}
