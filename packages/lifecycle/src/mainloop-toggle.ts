import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isCode, lockHolder } from "@ivy/files";
import { AutomationLockedError, StartError, StopError } from "./errors.ts";
import { childrenOf, startTicks } from "./process-info.ts";
import { killGroup } from "./spawn-child.ts";
import { UP_DESCRIPTOR } from "./tell-up.ts";

/** How much of what a main process said is shown when it does not come up, in characters. */
const SHOWN = 4_000;

const LOOK_AGAIN_MS = 20;

/** A process that is still there this long after it was killed is left behind, in milliseconds. */
const KILLED_MS = 30_000;

export interface MainloopToggleOptions {
  /** The lock that the main loop holds. */
  lockFile: string;
  /** Command line that starts the main loop, which is to call `tellUp` when it is up. */
  script: readonly [string, ...string[]];
  /** Working folder of the main loop. */
  cwd: string;
  /** Takes what the main loop and its processes write to standard error; emptied at each start, and when it grows long. */
  stderrFile: string;
}

/** Starts and stops the main loop in the background. */
export class MainloopToggle {
  readonly #options: MainloopToggleOptions;

  constructor(options: MainloopToggleOptions) {
    this.#options = options;
  }

  /** The main process, then the processes that it has started; empty where it is not running. */
  getMainloopPids(): number[] {
    const pid = lockHolder(this.#options.lockFile);
    return pid === undefined ? [] : [pid, ...childrenOf(pid)];
  }

  /**
   * Starts the main loop in the background.
   *
   * @param timeoutMs - how long it may take until it is up, in milliseconds
   * @returns its process id, once it is up
   * @throws AutomationLockedError where it runs already
   * @throws StartError where it ends before it is up, with what it said, or does not come up in time
   */
  async startMainloop(timeoutMs = 60_000): Promise<number> {
    const { lockFile, stderrFile } = this.#options;
    const holder = lockHolder(lockFile);
    if (holder !== undefined) throw new AutomationLockedError(lockFile, holder);
    const main = this.#spawn();
    const outcome = await firstOf(main, timeoutMs);
    if (outcome === "up") return letGo(main);
    if (outcome === "late") killGroup(main.pid ?? 0);
    const what = outcome === "late" ? `is not up after ${timeoutMs / 1_000} s` : "has ended before it was up";
    const said = readFileSync(stderrFile, "utf8").slice(-SHOWN).trim();
    throw new StartError(`The main loop ${what}: ${said === "" ? "it said nothing" : said}`);
  }

  /**
   * Stops the main loop: asks it to end, and waits until it is gone. When it has not ended in time, it is killed, and
   * its processes with it.
   *
   * @param timeoutMs - how long it may take, in milliseconds; the backend drains meanwhile
   * @returns the processes that have ended; empty where none was running
   * @throws StopError where it does not end even when it is killed
   */
  async stopMainloop(timeoutMs: number): Promise<number[]> {
    const pids = this.getMainloopPids();
    const [main] = pids;
    if (main === undefined) return [];
    const identity = startTicks(main);
    const isGone = () => identity === undefined || startTicks(main) !== identity;
    signal(main, "SIGTERM");
    if (await comesTrue(isGone, timeoutMs)) return pids;
    for (const pid of childrenOf(main)) killGroup(pid);
    signal(main, "SIGKILL");
    if (await comesTrue(isGone, KILLED_MS)) return pids;
    throw new StopError(main, KILLED_MS);
  }

  #spawn(): ChildProcess {
    const { script, cwd, stderrFile } = this.#options;
    const [command, ...args] = script;
    mkdirSync(dirname(stderrFile), { recursive: true });
    const { O_APPEND, O_CREAT, O_TRUNC, O_WRONLY } = constants;
    // Whoever empties it while it is written to finds room at its start.
    const stderr = openSync(stderrFile, O_APPEND | O_CREAT | O_TRUNC | O_WRONLY, 0o666);
    try {
      return spawn(command, args, { cwd, detached: true, stdio: ["ignore", "ignore", stderr, "pipe"] });
    } finally {
      closeSync(stderr);
    }
  }
}

/** Whether it has come true in time. */
async function comesTrue(check: () => boolean, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (!check()) {
    if (performance.now() > deadline) return false;
    await sleep(LOOK_AGAIN_MS);
  }
  return true;
}

function signal(pid: number, name: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It has ended meanwhile.
    if (!isCode(error, "ESRCH")) throw error;
  }
}

async function firstOf(main: ChildProcess, timeoutMs: number): Promise<"up" | "ended" | "late"> {
  const late = new AbortController();
  const up = main.stdio[UP_DESCRIPTOR];
  try {
    return await Promise.race([
      ...(up ? [once(up, "data").then(() => "up" as const)] : []),
      once(main, "exit").then(() => "ended" as const),
      sleep(timeoutMs, "late" as const, { signal: late.signal }),
    ]);
  } finally {
    late.abort();
  }
}

/** Lets this process end while the other goes on. */
function letGo(main: ChildProcess): number {
  for (const stream of main.stdio) stream?.destroy();
  main.unref();
  return main.pid as number;
}
