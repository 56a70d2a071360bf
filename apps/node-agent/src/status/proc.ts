import { readFileSync } from "node:fs";

/** Clock ticks in a second, as Linux tells them to programs. */
const TICKS = 100;

/** What the kernel knows about a process. */
export interface ProcInfo {
  uptimeSeconds: number;
  /** Its share of the memory: what it has alone, and its part of what it shares. Unknown for processes of others. */
  memoryBytes: number | null;
}

/** `undefined` where there is no such process. */
export function procInfo(pid: number): ProcInfo | undefined {
  const [STATE, START_TIME] = [0, 19];
  const stat = read(`/proc/${pid}/stat`);
  // The name of the program stands in parentheses, and may hold anything.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields === undefined || fields[STATE] === "Z") return undefined;
  const sinceBoot = Number(read("/proc/uptime")?.split(" ")[0]);
  return {
    uptimeSeconds: Math.max(0, sinceBoot - Number(fields[START_TIME]) / TICKS),
    memoryBytes: memoryOf(pid),
  };
}

function memoryOf(pid: number): number | null {
  const kilobytes = /^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? "")?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1_024;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // It is gone, or somebody else's.
    return undefined;
  }
}
