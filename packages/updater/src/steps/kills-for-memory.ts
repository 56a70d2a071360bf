import { readFileSync } from "node:fs";

/**
 * How many processes the kernel has killed since the system was started because there was no memory left. Who has started
 * such a process often says only that it failed.
 *
 * @returns 0 where the kernel does not count them
 */
export function killsForMemory(file = "/proc/vmstat"): number {
  return Number(/^oom_kill (\d+)$/m.exec(readFileSync(file, "utf8"))?.[1] ?? 0);
}
