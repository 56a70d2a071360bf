import { once } from "node:events";
import { LifecycleUsageError } from "./errors.ts";
import type { LevelChange, TeardownReason, ToChild } from "./ipc.ts";
import { tolerateLostOutput } from "./lossy-output.ts";
import { createContext, type NodeContext, tell } from "./node-context.ts";

export type { LevelChange, LogSink, TeardownReason } from "./ipc.ts";
export type { Agent, NodeContext } from "./node-context.ts";
export type { Turn } from "./report-progress.ts";

/** An endless loop that measures; returns once `node.signal` has aborted. */
export type ProcedureRun<Config> = (config: Config, name: string, node: NodeContext) => Promise<void>;

/**
 * An endless loop that speaks to a server; returns once `teardownIndicator` has aborted and it has done what is to be
 * done then. The reason of the abort is a {@link TeardownReason}.
 */
export type BackendRun<Config> = (
  config: Config,
  name: string,
  teardownIndicator: AbortSignal,
  node: NodeContext,
) => Promise<void>;

/** How often a backend shows that it is not blocked, in seconds. */
const SECONDS_BETWEEN_SIGNS_OF_LIFE = 60;

/** How long members may take to end once the main process is gone or another one has failed, in milliseconds. */
const LAST_MS = 5_000;

/** Runs this process as a procedure of the agent that has started it. */
export async function runProcedure<Config>(run: ProcedureRun<Config>): Promise<void> {
  check(run);
  await runMembers(() => run);
}

/**
 * Runs this process as several procedures of the agent that has started it: those that it names. Each has a logger and a
 * loop of its own; one that fails ends the process, and so the others too.
 *
 * @param runs - by the names of the procedures
 */
export async function runProcedures<Config>(
  runs: Readonly<Record<string, ProcedureRun<Config>>>,
): Promise<void> {
  for (const run of Object.values(runs)) check(run);
  await runMembers((name) => {
    const run = runs[name];
    if (run !== undefined) return run;
    const known = Object.keys(runs).join(", ");
    throw new LifecycleUsageError(`"${name}" is not among those that this process can run: ${known}`);
  });
}

function check(run: ProcedureRun<never>): void {
  if (run.length > 3)
    throw new LifecycleUsageError("A procedure's run takes (config, name, node); this one takes more");
}

/** Runs this process as a backend of the agent that has started it. */
export async function runBackend<Config>(run: BackendRun<Config>): Promise<void> {
  if (run.length < 3) {
    throw new LifecycleUsageError(
      "A backend's run takes (config, name, teardownIndicator, node); this one takes less",
    );
  }
  await runMembers<Config>(() => (config, name, node) => {
    showLife(node.agent);
    return run(config, name, node.signal, node);
  });
}

/** A backend has no loop of its own that could come round; its event loop has to. */
function showLife(agent: NodeContext["agent"]): void {
  const turn = { seconds: SECONDS_BETWEEN_SIGNS_OF_LIFE };
  agent.reportProgress(turn);
  setInterval(() => agent.reportProgress(turn), turn.seconds * 1_000).unref();
}

/** A process is its members, side by side; most have one. The first that ends unasked ends the others. */
async function runMembers<Config>(runOf: (name: string) => ProcedureRun<Config>): Promise<void> {
  if (process.send === undefined) {
    throw new LifecycleUsageError("This is a process of the agent: start the agent, and it starts this");
  }
  tolerateLostOutput();
  const teardown = endOnDemand();
  const changeLevelsWith = levelChanges();
  const start = await askForStart();
  // What is torn down before it has begun does not begin.
  if (teardown.signal.aborted) process.exit();
  const { logger, nodes, setLogLevel, close } = createContext(start, teardown.signal);
  changeLevelsWith(setLogLevel);
  process.on("uncaughtException", (error) => {
    logger.exception(error);
    tell({ kind: "error", name: start.name, text: String(error) });
    process.exit(1);
  });
  const late = Promise.withResolvers<void>();
  const ends = [...nodes].map(async ([name, node]) => {
    const well = await endsWell(() => runOf(name)(start.config as Config, name, node), name, node);
    if (well) return true;
    teardown.abort("restart" satisfies TeardownReason);
    setTimeout(late.resolve, LAST_MS);
    return false;
  });
  const all = await Promise.race([Promise.all(ends), late.promise]);
  await close();
  process.exit(all?.every(Boolean) ? 0 : 1);
}

async function endsWell(
  run: () => Promise<void>,
  name: string,
  { logger, signal }: NodeContext,
): Promise<boolean> {
  try {
    await run();
    if (signal.aborted) return true;
    const text = "The process has ended although nobody asked for it";
    logger.error(text);
    tell({ kind: "error", name, text });
  } catch (error) {
    logger.exception(error);
    tell({ kind: "error", name, text: String(error) });
  }
  return false;
}

/** Aborts when the main process asks for the end, or is gone. */
function endOnDemand(): AbortController {
  const ended = new AbortController();
  const end = (reason: TeardownReason) => ended.abort(reason);
  // Ctrl-C is the main process's affair.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => end("restart"));
  process.on("message", (message: ToChild) => {
    if (message.kind === "teardown") end(message.reason);
  });
  process.on("disconnect", () => {
    end("restart");
    setTimeout(() => process.exit(1), LAST_MS);
  });
  return ended;
}

/** Listens from now on, for a change may come in one piece with the start, before there is a logger. */
function levelChanges(): (changeWith: (next: LevelChange) => void) => void {
  const early: LevelChange[] = [];
  let change = (next: LevelChange): void => void early.push(next);
  process.on("message", (message: ToChild) => {
    if (message.kind === "log-level") change(message);
  });
  return (changeWith) => {
    change = changeWith;
    for (const next of early) change(next);
  };
}

async function askForStart(): Promise<Extract<ToChild, { kind: "start" }>> {
  tell({ kind: "ready" });
  for (;;) {
    const [message] = (await once(process, "message")) as [ToChild];
    if (message.kind === "start") return message;
  }
}
