import { totalmem } from "node:os";
import { childrenOf } from "@ivy/lifecycle";
import { procInfo } from "./status/proc.ts";
import { bytes } from "./status/units.ts";

/**
 * How much of the machine's memory the processes of the agent may take together. On a machine of 512 MB, where the agent
 * takes about 100 MB, the other half is what the system needs besides the preparation of a version, whose steps have a
 * heap of 160 MB: with less, no later version could take the place of this one any more.
 */
const LARGEST_PART = 1 / 2;

/** What a process and all that it has started take too much, in words; memory that they share counts once. */
export function excessOf(pid: number, machineBytes = totalmem()): string[] {
  const taken = memoryOf(pid);
  const most = machineBytes * LARGEST_PART;
  if (taken <= most) return [];
  return [
    `the processes take ${bytes(taken)} of memory, more than half of the machine's ${bytes(machineBytes)}`,
  ];
}

/** In bytes. */
function memoryOf(pid: number): number {
  const own = procInfo(pid)?.memoryBytes ?? 0;
  return childrenOf(pid).reduce((sum, child) => sum + memoryOf(child), own);
}
