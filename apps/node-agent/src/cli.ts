import { join } from "node:path";
import { MainloopToggle, MEMORY_FLAGS } from "@ivy/lifecycle";
import { Command } from "commander";
import { DATA_DIR, LOCK_FILE, NAME, PROJECT_DIR, VERSION } from "./constants.ts";

/** Exit code of `is-running` where the agent is not running, as the exit codes of `systemctl is-active` have it. */
const NOT_RUNNING = 3;

/**
 * How long `stop` waits before it kills: the longest drain that a configuration may ask for, and what procedures may
 * take, in milliseconds.
 */
const STOP_TIMEOUT_MS = (7_200 + 60) * 1_000;

const toggle = new MainloopToggle({
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

const program = new Command(NAME)
  .description("Command line interface of the agent of a sensor node")
  .showHelpAfterError()
  .showSuggestionAfterError();

program
  .command("info")
  .description("Print which version this is, and where its code and its data lie.")
  .action(info);

program
  .command("start")
  .description("Start the agent in the background, unless it runs already; returns once its main loop is up.")
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
  .description("Stop the agent if it is running, and start it.")
  .action(async () => {
    await stop();
    await start();
  });

try {
  await program.parseAsync();
} catch (error) {
  say(process.stderr, error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

function info(): void {
  say(process.stdout, `CLI version: ${VERSION}`);
  say(process.stdout, `Node.js: ${process.version}, ${process.execPath}`);
  say(process.stdout, `Source code: ${PROJECT_DIR}`);
  say(process.stdout, `Data: ${DATA_DIR}`);
}

async function start(): Promise<void> {
  const pid = await toggle.startMainloop();
  say(process.stdout, `The agent has been started with PID ${pid}`);
}

function isRunning(): void {
  const [pid, ...children] = toggle.getMainloopPids();
  if (pid === undefined) {
    say(process.stdout, "The agent is not running");
    process.exitCode = NOT_RUNNING;
  } else {
    say(process.stdout, `The agent is running with PID ${pid} (its processes: ${children.join(", ")})`);
  }
}

async function stop(): Promise<void> {
  const [pid] = await toggle.stopMainloop(STOP_TIMEOUT_MS);
  say(
    process.stdout,
    pid === undefined ? "The agent is not running" : `The agent with PID ${pid} has been stopped`,
  );
}

function say(stream: NodeJS.WriteStream, text: string): void {
  stream.write(`${text}\n`);
}
