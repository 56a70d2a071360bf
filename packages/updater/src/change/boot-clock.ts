import { readFileSync } from "node:fs";

/** An instant on the clock that counts from the start of the system, also while it sleeps. */
export interface BootTime {
  /** Tells one start of the system from another. */
  bootId: string;
  ms: number;
}

/** Now. No step of the wall clock changes it. */
export function bootTime(): BootTime {
  const [uptime = "0"] = readFileSync("/proc/uptime", "utf8").split(" ");
  return {
    bootId: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
    ms: Math.round(Number(uptime) * 1_000),
  };
}

/** Milliseconds until an instant; none where it is past or belongs to an earlier start of the system. */
export function msUntil(due: BootTime, now: BootTime): number {
  return due.bootId === now.bootId ? Math.max(0, due.ms - now.ms) : 0;
}
