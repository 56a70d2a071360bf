import { join } from "node:path";
import type { MainloopToggle } from "@ivy/lifecycle";
import type { Command } from "commander";
import { CONFIG_FILE, DATA_DIR, LOCK_FILE, PROJECT_DIR } from "../constants.ts";
import { say } from "./say.ts";

/** Exit code of `is-running` where the agent is not running, as the exit codes of `systemctl is-active` have it. */
const NOT_RUNNING = 3;

/** Loaded when it is needed, for no other command shall wait for it. */
async function mainloop(): Promise<MainloopToggle> {
  const { MainloopToggle, MEMORY_FLAGS } = await import("@ivy/lifecycle");
  return new MainloopToggle({
    lockFile: LOCK_FILE,
    script: [
      process.execPath,
      ...process.execArgv,
      ...MEMORY_FLAGS,
      join(import.meta.dirname, "run.js"),
      "--background",
    ],
    cwd: PROJECT_DIR,
    stderrFile: join(DATA_DIR, "main.stderr"),
  });
}

/** `start`, `is-running`, `stop` and `restart`. */
export function addMainloop(program: Command): void {
  program
    .command("start")
    .description(
      "Start the agent in the background, unless it runs already; returns once its main loop is up.",
    )
    .action(start);
  program
    .command("is-running")
    .description(`Tell whether the agent is running. Exit code 0: it is, ${NOT_RUNNING}: it is not.`)
    .action(isRunning);
  program
    .command("stop")
    .description("Stop the agent in the background; returns once all its processes are gone.")
    .action(stop);
  program
    .command("restart")
    .description("Stop the agent if it is running, and start it; not where its configuration cannot be used.")
    .action(async () => {
      await refuseBrokenConfig();
      await stop();
      await start();
    });
}

async function start(): Promise<void> {
  const pid = await (await mainloop()).startMainloop();
  say(`The agent has been started with PID ${pid}`);
}

async function isRunning(): Promise<void> {
  const [pid, ...children] = (await mainloop()).getMainloopPids();
  if (pid === undefined) {
    say("The agent is not running");
    process.exitCode = NOT_RUNNING;
  } else {
    say(`The agent is running with PID ${pid} (its processes: ${children.join(", ")})`);
  }
}

async function stop(): Promise<void> {
  const stopping = await import("./mainloop/stop.ts");
  await stopping.stop(await mainloop());
}

/** An agent that measures is not stopped for one that would not start. */
async function refuseBrokenConfig(): Promise<void> {
  const { loadConfig } = await import("@ivy/types");
  const { AgentConfig } = await import("../agent-config.ts");
  try {
    loadConfig(CONFIG_FILE, AgentConfig);
  } catch (cause) {
    throw new Error(`${(cause as Error).message}\nNothing has been stopped`, { cause });
  }
}
