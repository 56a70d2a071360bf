import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** How long processes that have been killed may take to be gone, in milliseconds; what waits for a disk takes longest. */
const GONE_MS = 10_000;

/** Time between two looks, in milliseconds. */
const LOOK_MS = 20;

/** The processes of one step. */
export interface StepProcesses {
  /** Entry of their environment that no other process has, `NAME=VALUE`. */
  cookie: string;
  /** Process group, and session, that the first of them leads. */
  group: number;
}

/**
 * Kills all processes of a step, those too that have made themselves independent: whoever has its cookie in the
 * environment, is in its group or session, or was started by one of these.
 */
export async function killAll(step: StepProcesses): Promise<void> {
  const deadline = performance.now() + GONE_MS;
  for (let found = find(step); found.length > 0 && performance.now() < deadline; found = find(step)) {
    for (const pid of found) kill(pid);
    await sleep(LOOK_MS);
  }
}

function find({ cookie, group }: StepProcesses): number[] {
  const processes = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)));
  const found = new Set<number>();
  for (const { pid, pgrp, session } of processes) {
    if (pgrp === group || session === group || hasCookie(pid, cookie)) found.add(pid);
  }
  for (let before = -1; before < found.size; ) {
    before = found.size;
    for (const { pid, parent } of processes) if (found.has(parent)) found.add(pid);
  }
  found.delete(process.pid);
  return [...found];
}

function readProcess(pid: number): { pid: number; parent: number; pgrp: number; session: number }[] {
  const stat = read(`/proc/${pid}/stat`);
  // The name of the program stands in parentheses, and may hold anything.
  const [state, parent, pgrp, session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (state === undefined || state === "" || state === "Z" || state === "X") return [];
  return [{ pid, parent: Number(parent), pgrp: Number(pgrp), session: Number(session) }];
}

function hasCookie(pid: number, cookie: string): boolean {
  return read(`/proc/${pid}/environ`).split("\0").includes(cookie);
}

/** What cannot be read belongs to another user or has ended; both are none of ours. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}
