import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { guarded } from "../guarded.ts";
import { killsForMemory } from "./kills-for-memory.ts";
import { OutputTail } from "./output-tail.ts";
import { killAll } from "./step-processes.ts";

/** Each runs what comes behind it, so that the node measures on in peace; on every Debian, and left out elsewhere. */
const MANNERS = [
  ["/usr/bin/nice", "-n", "10"],
  ["/usr/bin/ionice", "-c", "3"],
];

/** How long it may take to read what is left in a pipe, in milliseconds; longer only if somebody has escaped with it. */
const CLOSED_MS = 5_000;

/** Exit code of what somebody has killed, as the kernel does where memory is short. */
export const KILLED = 128 + constants.signals.SIGKILL;

export interface CommandOptions {
  /** Absolute path of a program, and its arguments. */
  command: readonly string[];
  cwd: string;
  /** Its whole environment. */
  env: NodeJS.ProcessEnv;
  /** It is killed after so many milliseconds. */
  timeoutMs: number;
  /** Struck out of whatever it prints. */
  secrets: readonly string[];
  /** Ends it. */
  signal: AbortSignal;
  /** Told what it prints, line by line, up to 64 KiB of it. */
  onLine?: (line: string) => void;
}

/** How a command has ended. */
export interface CommandEnd {
  /** Why: by itself, because its time was up, or because the signal ended it. */
  cause: "itself" | "timeout" | "signal";
  /** Its exit code; 128 and the number of the signal where one has killed it. */
  exitCode: number;
  /** The end of what it printed, 64 KiB at most, with secrets struck out. */
  output: string;
  /** Meanwhile the kernel has killed a process, of whomever, because there was no memory left. */
  memoryRanOut: boolean;
}

/**
 * Runs a command at low priority in a session of its own. Once it has ended, by itself or not, nothing that it has
 * started is left; the kernel kills it should this process die.
 *
 * @throws the error of the system where it could not be started
 */
export async function runCommand(options: CommandOptions): Promise<CommandEnd> {
  const { command, cwd, env, timeoutMs, secrets, signal, onLine } = options;
  const killsBefore = killsForMemory();
  const [cookieName, cookieValue] = ["IVY_STEP", crypto.randomUUID()];
  const manners = MANNERS.filter(([tool = ""]) => existsSync(tool)).flat();
  const [program = "", ...args] = guarded([...manners, ...command]);
  const child = spawn(program, args, {
    cwd,
    env: { ...env, [cookieName]: cookieValue },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = new OutputTail(secrets, onLine);
  for (const stream of [child.stdout, child.stderr]) {
    const take = output.stream();
    stream.on("data", take).on("end", () => take(undefined));
  }
  const closed = new Promise((resolve) => child.once("close", resolve));
  await once(child, "spawn");
  const processes = { cookie: `${cookieName}=${cookieValue}`, group: child.pid as number };

  const timeout = AbortSignal.timeout(timeoutMs);
  const stopped = AbortSignal.any([signal, timeout]);
  const ended = await exitOf(child, stopped);
  const cause = ended ? "itself" : timeout.aborted ? "timeout" : "signal";
  await killAll(processes);
  await Promise.race([closed, sleep(CLOSED_MS, undefined, { ref: false })]);
  for (const stream of [child.stdout, child.stderr]) stream.destroy();
  const memoryRanOut = killsForMemory() > killsBefore;
  return { cause, exitCode: child.exitCode ?? KILLED, output: output.toString(), memoryRanOut };
}

/** Whether a process has ended before the signal aborted. */
async function exitOf(child: ChildProcess, signal: AbortSignal): Promise<boolean> {
  if (child.exitCode !== null || child.signalCode !== null) return true;
  try {
    await once(child, "exit", { signal });
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
