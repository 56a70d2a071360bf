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
