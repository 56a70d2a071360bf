import type { Process } from "./describe-live.ts";
import type { StatusReport } from "./schema.ts";
import { age, bytes } from "./units.ts";

/** A connection that is not there for this long is trouble, in seconds. */
const LINK_SECONDS = 60;

/** A loop that has not come round for this many intervals is late. */
const LATE_INTERVALS = 3;

/** Less free room than this part of the disk, or than this, is little. */
const LITTLE_ROOM = { part: 0.02, bytes: 100 * 1024 ** 2, inodes: 1_000 };

/** What of a running agent is not as it should be, in words. */
export function problemsOf(report: Omit<StatusReport, "state" | "problems">): string[] {
  const { main, processes, link, disk, clock, queue } = report;
  const problems: string[] = [];
  if (main !== null && !main.answers) problems.push("The main process does not answer: it is busy or hangs");
  if (main?.safe_mode) problems.push("The agent runs in safe mode: nothing else has worked");
  for (const [name, process] of Object.entries(processes)) problems.push(...problemsOfProcess(name, process));
  problems.push(...problemsOfLink(link));
  if (queue === null) problems.push("The queue cannot be read");
  const little = Math.min(LITTLE_ROOM.bytes, disk.total_bytes * LITTLE_ROOM.part);
  if (disk.free_bytes < little) problems.push(`The disk is full but for ${bytes(disk.free_bytes)}`);
  // Some file systems have no fixed number of them, and say 0.
  if (disk.free_inodes > 0 && disk.free_inodes < LITTLE_ROOM.inodes)
    problems.push(`The disk has room for ${disk.free_inodes} more files only`);
  if (clock.synchronised === false) problems.push("The clock has not been set by a time server");
  return problems;
}

export function problemsOfLink(link: StatusReport["link"]): string[] {
  if (link?.connected !== false) return [];
  const { since_seconds: since } = link;
  if (since === null) return ["There is no connection to the server"];
  return since <= LINK_SECONDS ? [] : [`There has been no connection to the server for ${age(since)}`];
}

export function problemsOfProcess(name: string, process: Omit<Process, "memory_bytes">): string[] {
  const { state, crash_loop, failures, last_error, last_turn_age_seconds: turned } = process;
  const why = last_error === null ? "" : `: ${last_error}`;
  if (crash_loop) return [`${name} dies again and again${why}`];
  if (state !== "running") return [`${name} does not run${why}`];
  if (failures > 0)
    return [`${name} has failed ${failures === 1 ? "once" : `${failures} times in a row`}${why}`];
  const interval = process.interval_seconds ?? Number.POSITIVE_INFINITY;
  if (turned !== null && turned > Math.max(LINK_SECONDS, LATE_INTERVALS * interval))
    return [`${name} has made no progress for ${age(turned)}, it should every ${age(interval)}`];
  return [];
}
