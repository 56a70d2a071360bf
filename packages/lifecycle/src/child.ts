import { once } from "node:events";
import { Logger } from "@ivy/logger";
import { MessagingAgent } from "@ivy/messaging";
import type { LinkEvent } from "@ivy/messaging/forwarder";
import { StateInterface } from "@ivy/state";
import { systemMonotonicMs } from "./clock.ts";
import { LifecycleUsageError } from "./errors.ts";
import type { LevelChange, ProcessSettings, TeardownReason, ToChild, ToParent } from "./ipc.ts";
import { linkReporter } from "./report-link.ts";
import { progressReporter, type Turn } from "./report-progress.ts";

export type { LevelChange, LogSink, TeardownReason } from "./ipc.ts";
export type { Turn } from "./report-progress.ts";

/** The agent that a process belongs to, and what can be asked of it. */
export interface Agent {
  /** Name and version of the software. */
  readonly name: string;
  readonly version: string;
  /** A loop is to begin with a turn instead of waiting for its time: somebody waits to see one. */
  readonly beginsAtOnce: boolean;
  /** How long the main process has been running, in seconds. */
  uptime(): number;
  /** Has all processes of the agent torn down and started again, this one too. */
  requestRestart(): void;
  /** Changes from which level on a sink gets entries, in all processes, until they are started anew. */
  setLogLevel(change: LevelChange): void;
  /** Tells what becomes of the connection to a server: to be handed to the forwarder as `onLink`. */
  reportLink(event: LinkEvent, messages?: number): void;
  /**
   * Tells that an endless loop begins or has come round. One that does so once and then no more is taken for hung, and
   * its process is started again. The loop of `@ivy/procedures` does it by itself.
   */
  reportProgress(turn: Turn): void;
}

/** What a process of the agent works with. */
export interface NodeContext {
  logger: Logger;
  messages: MessagingAgent;
  state: StateInterface;
  dataDir: string;
  /** Folder of the configuration: what holds secrets lies there. */
  configDir: string;
  /** Texts that must not leave the configuration. */
  secrets: readonly string[];
  /** Aborted when the process shall end. */
  signal: AbortSignal;
  agent: Agent;
}

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

/** How long a process may take to end once the main process is gone, in milliseconds. */
const ORPHAN_MS = 5_000;

/** Runs this process as a procedure of the agent that has started it. */
export async function runProcedure<Config>(run: ProcedureRun<Config>): Promise<void> {
  if (run.length > 3)
    throw new LifecycleUsageError("A procedure's run takes (config, name, node); this one takes more");
  await runAsChild<Config>((config, name, node) => run(config, name, node));
}

/** Runs this process as a backend of the agent that has started it. */
export async function runBackend<Config>(run: BackendRun<Config>): Promise<void> {
  if (run.length < 3) {
    throw new LifecycleUsageError(
      "A backend's run takes (config, name, teardownIndicator, node); this one takes less",
    );
  }
  await runAsChild<Config>((config, name, node) => {
    showLife(node.agent);
    return run(config, name, node.signal, node);
  });
}

/** A backend has no loop of its own that could come round; its event loop has to. */
function showLife(agent: Agent): void {
  const turn = { seconds: SECONDS_BETWEEN_SIGNS_OF_LIFE };
  agent.reportProgress(turn);
  setInterval(() => agent.reportProgress(turn), turn.seconds * 1_000).unref();
}

async function runAsChild<Config>(run: ProcedureRun<Config>): Promise<void> {
  if (process.send === undefined) {
    throw new LifecycleUsageError("This is a process of the agent: start the agent, and it starts this");
  }
  const signal = teardownSignal();
  const changeLevelsOf = levelChanges();
  const { config, name, settings } = await askForStart();
  const node = createContext(name, settings, signal);
  changeLevelsOf(node.logger);
  process.on("uncaughtException", (error) => {
    node.logger.exception(error);
    tell({ kind: "error", text: String(error) });
    process.exit(1);
  });
  tell({ kind: "running" });
  const exitCode = await runToEnd(() => run(config as Config, name, node), node);
  await node.messages.teardown();
  node.logger[Symbol.dispose]();
  process.exit(exitCode);
}

async function runToEnd(run: () => Promise<void>, { logger, signal }: NodeContext): Promise<number> {
  try {
    await run();
    if (signal.aborted) return 0;
    const text = "The process has ended although nobody asked for it";
    logger.error(text);
    tell({ kind: "error", text });
  } catch (error) {
    logger.exception(error);
    tell({ kind: "error", text: String(error) });
  }
  return 1;
}

/** Aborts when the main process asks for the end, or is gone. */
function teardownSignal(): AbortSignal {
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
    setTimeout(() => process.exit(1), ORPHAN_MS);
  });
  return ended.signal;
}

/** Listens from now on, for a change may come in one piece with the start, before there is a logger. */
function levelChanges(): (logger: Logger) => void {
  const early: LevelChange[] = [];
  let change = (next: LevelChange): void => void early.push(next);
  process.on("message", (message: ToChild) => {
    if (message.kind === "log-level") change(message);
  });
  return (logger) => {
    change = ({ sink, level }) => logger.setLevel(sink, level);
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

function createContext(name: string, settings: ProcessSettings, signal: AbortSignal): NodeContext {
  const { dataDir, configDir, logsDir, verbosity, revision, secrets, agent } = settings;
  const messages = new MessagingAgent({ dataDir, revision, onIncident: (text) => logger.warning(text) });
  const logger = new Logger({
    origin: name,
    verbosity,
    logsDir,
    secrets,
    sendMessage: (body) => messages.addMessage(body),
  });
  const state = new StateInterface({ dataDir, onIncident: (text) => logger.error(text) });
  return { logger, messages, state, dataDir, configDir, secrets, signal, agent: agentOf(agent, messages) };
}

function agentOf(
  { name, version, startedAt, beginsAtOnce = false }: ProcessSettings["agent"],
  messages: MessagingAgent,
): Agent {
  let acknowledged = 0;
  const counts = () => {
    const { messages: stored, bytes: storedBytes } = messages.stored;
    return { stored, storedBytes, acknowledged };
  };
  const reportLink = linkReporter(
    (link) => tell({ kind: "link", counts: counts(), ...link }),
    systemMonotonicMs,
  );
  return {
    name,
    version,
    beginsAtOnce,
    uptime: () => (systemMonotonicMs() - startedAt) / 1_000,
    requestRestart: () => tell({ kind: "ask", request: { kind: "restart" } }),
    setLogLevel: (change) => tell({ kind: "ask", request: { kind: "log-level", ...change } }),
    reportLink: (event, count = 0) => {
      acknowledged += count;
      reportLink(event);
    },
    reportProgress: progressReporter(
      (progress) => tell({ kind: "progress", counts: counts(), ...progress }),
      systemMonotonicMs,
    ),
  };
}

function tell(message: ToParent): void {
  process.send?.(message);
}
