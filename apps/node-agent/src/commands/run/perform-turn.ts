import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { MEMORY_FLAGS, systemMonotonicMs, type ToChild, type ToParent } from "@ivy/lifecycle";
import { secretsOf } from "@ivy/types";
import { AgentConfig } from "../../agent-config.ts";
import { CONFIG_DIR, NAME, VERSION } from "../../constants.ts";

export interface TurnOptions {
  name: string;
  /** The file that is run. */
  script: string;
  config: AgentConfig;
  /** Takes everything that the procedure writes. */
  dataDir: string;
  /** Gives up waiting. */
  signal: AbortSignal;
}

/** How one turn came out. */
export interface TurnOutcome {
  /** Why it has failed, if it has. */
  failure?: string;
}

/** A process that does not end by itself is killed after this time, in milliseconds. */
const KILL_MS = 5_000;

const STDERR = 2;

/** Starts a procedure as the main process would, waits until its loop has come round once, and ends it. */
export async function performTurn(options: TurnOptions): Promise<TurnOutcome> {
  const child = spawn(process.execPath, [...MEMORY_FLAGS, options.script], {
    stdio: ["ignore", STDERR, STDERR, "ipc"],
    serialization: "json",
  });
  const ended = once(child, "exit");
  const outcome = await firstOutcome(child, options);
  if (child.connected) tell(child, { kind: "teardown", reason: "stop" });
  const timer = setTimeout(() => child.kill("SIGKILL"), KILL_MS);
  await ended;
  clearTimeout(timer);
  return outcome;
}

function firstOutcome(child: ChildProcess, options: TurnOptions): Promise<TurnOutcome> {
  return new Promise((resolve) => {
    const { signal } = options;
    const give = () => resolve({ failure: "it has not come round in time, or was interrupted" });
    if (signal.aborted) give();
    signal.addEventListener("abort", give, { once: true });
    child.on("exit", () => resolve({ failure: "it has ended before its loop came round" }));
    child.on("message", (message: ToParent) => {
      if (message.kind === "ready") tell(child, startOf(options));
      if (message.kind === "error") resolve({ failure: message.text });
      if (message.kind === "progress" && message.turns > 0)
        resolve(message.error === undefined ? {} : { failure: message.error });
    });
  });
}

/** Logs are printed, all of them, and kept nowhere. */
function startOf({ name, config, dataDir }: TurnOptions): ToChild {
  const settings = {
    dataDir,
    configDir: CONFIG_DIR,
    logsDir: join(dataDir, "logs"),
    verbosity: { console_prints: "DEBUG" as const, file_archive: null, message_sending: null },
    revision: config.general.config_revision,
    secrets: secretsOf(config, AgentConfig),
    agent: { name: NAME, version: VERSION, startedAt: systemMonotonicMs(), beginsAtOnce: true },
  };
  return { kind: "start", config, name, members: [name], settings };
}

function tell(child: ChildProcess, message: ToChild): void {
  child.send(message);
}
