import { readdirSync, readFileSync } from "node:fs";
import { isCode } from "@ivy/files";

/**
 * When a process was started, in clock ticks since boot: with its pid it names a process for good, for pids are used
 * again. `undefined` once it is gone.
 */
export function startTicks(pid: number): string | undefined {
  const START_TIME = 19;
  const stat = readProc(`${pid}/stat`);
  // The name of the program stands in parentheses, and may hold anything.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ZOMBIE = "Z";
  return fields?.[0] === ZOMBIE ? undefined : fields?.[START_TIME];
}

/** The processes that a process has started and that are alive. */
export function childrenOf(pid: number): number[] {
  const threads = list(`/proc/${pid}/task`);
  return threads.flatMap((thread) =>
    (readProc(`${pid}/task/${thread}/children`) ?? "").trim().split(" ").filter(Boolean).map(Number),
  );
}

function readProc(name: string): string | undefined {
  try {
    return readFileSync(`/proc/${name}`, "utf8");
  } catch (error) {
    if (isCode(error, "ENOENT", "ESRCH")) return undefined;
    throw error;
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isCode(error, "ENOENT", "ESRCH")) return [];
    throw error;
  }
}
