import * as z from "zod/mini";
import type { BootTime } from "./boot-clock.ts";

/** What a start of the system may add to a wait at most, in milliseconds: noted no oftener, to spare the disk. */
const NOTED_EACH_MS = 900_000;

/**
 * A wait that goes on after a start of the system. How long the system was down nobody knows, for the wall clock may have
 * stood still too: what remained when it was last noted is waited for then. So a power cut of a whole region leaves its
 * nodes spread, and one that starts anew each hour gets there all the same.
 */
export const Wait = z.object({
  /** The start of the system in which it was noted, and when in that it is over. */
  bootId: z.string(),
  ms: z.number(),
  /** What remained of it then, in milliseconds. */
  remainingMs: z.number(),
});
export type Wait = z.infer<typeof Wait>;

export function beginWait(remainingMs: number, { bootId, ms }: BootTime): Wait {
  return { bootId, ms: ms + remainingMs, remainingMs };
}

/** What remains of a wait, in milliseconds. */
export function remainderOf(wait: Wait, now: BootTime): number {
  return wait.bootId === now.bootId ? Math.max(0, wait.ms - now.ms) : wait.remainingMs;
}

/** A wait as it is to be noted now; `undefined` where what is noted of it does. */
export function progressOf(wait: Wait, now: BootTime): Wait | undefined {
  const remainingMs = remainderOf(wait, now);
  const isOver = remainingMs === 0 && wait.remainingMs > 0;
  const isDue = wait.bootId !== now.bootId || isOver || wait.remainingMs - remainingMs >= NOTED_EACH_MS;
  return isDue && wait.remainingMs > 0 ? beginWait(remainingMs, now) : undefined;
}
