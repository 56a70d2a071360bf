import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { dyingWithParent } from "@ivy/files";
import { MEMORY_FLAGS } from "./memory-flags.ts";

/**
 * Starts a module as a process of its own, with an IPC channel.
 *
 * It leads a process group, so Ctrl-C in a terminal reaches the main process only, and a kill can take along what it
 * has started. The kernel kills it when this process dies. Where there is no setpriv, the end of the IPC channel does
 * it, which a process blocked in a loop does not notice.
 */
export function spawnChild(module: URL): ChildProcess {
  const node = [process.execPath, ...process.execArgv, ...MEMORY_FLAGS, fileURLToPath(module)];
  const [program = "", ...args] = dyingWithParent("KILL", node);
  return spawn(program, args, {
    detached: true,
    stdio: ["ignore", "inherit", "pipe", "ipc"],
    serialization: "json",
  });
}

/** Kills a process and whatever it has started and left in its process group. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}
