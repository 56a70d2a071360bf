import { Logger } from "@ivy/logger";
import { MessagingAgent } from "@ivy/messaging";
import type { LinkEvent } from "@ivy/messaging/forwarder";
import { StateInterface } from "@ivy/state";
import { systemMonotonicMs } from "./clock.ts";
import type { LevelChange, ProcessSettings, ToChild, ToParent } from "./ipc.ts";
import { linkReporter } from "./report-link.ts";
import { progressReporter, type Turn } from "./report-progress.ts";

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
  /**
   * Tells what is missing still until this works, in words, and `undefined` once it is nothing; to be called before the
   * loop begins where there is something. Only there while the agent has to prove that it works. The loop of
   * `@ivy/procedures` does it by itself.
   */
  readonly reportHealth?: (lacks: string | undefined) => void;
}

/** What a member of a process of the agent works with. */
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

/** What a process and its members work with. */
export interface ProcessContext {
  /** Of the process itself: tells what cannot be told of one of its members. */
  logger: Logger;
  messages: MessagingAgent;
  /** By the names of the members. Each has a logger and an agent of its own, and shares the rest. */
  nodes: ReadonlyMap<string, NodeContext>;
  setLogLevel(change: LevelChange): void;
  /** Writes down what is yet to be written. */
  close(): Promise<void>;
}

export function createContext(
  { name, members, settings }: Extract<ToChild, { kind: "start" }>,
  signal: AbortSignal,
): ProcessContext {
  const { dataDir, configDir, logsDir, verbosity, revision, secrets } = settings;
  const messages = new MessagingAgent({ dataDir, revision, onIncident: (text) => logger.warning(text) });
  const sendMessage: MessagingAgent["addMessage"] = (body) => messages.addMessage(body);
  const loggerOf = (origin: string) => new Logger({ origin, verbosity, logsDir, secrets, sendMessage });
  const logger = loggerOf(name);
  const state = new StateInterface({ dataDir, onIncident: (text) => logger.error(text) });
  const agentOf = agentsOf(settings.agent, messages);
  const nodes = new Map(
    members.map((member): [string, NodeContext] => {
      const own = { logger: member === name ? logger : loggerOf(member), agent: agentOf(member) };
      return [member, { ...own, messages, state, dataDir, configDir, secrets, signal }];
    }),
  );
  const loggers = new Set([logger, ...[...nodes.values()].map((node) => node.logger)]);
  return {
    logger,
    messages,
    nodes,
    setLogLevel: ({ sink, level }) => {
      for (const one of loggers) one.setLevel(sink, level);
    },
    close: async () => {
      await messages.teardown();
      for (const one of loggers) one[Symbol.dispose]();
    },
  };
}

/** Makes the agent as each member sees it: what one reports bears its name, messages are counted together. */
function agentsOf(
  { name, version, startedAt, beginsAtOnce = false, isOnTrial = false }: ProcessSettings["agent"],
  messages: MessagingAgent,
): (member: string) => Agent {
  let acknowledged = 0;
  const counts = () => {
    const { messages: stored, bytes: storedBytes } = messages.stored;
    return { stored, storedBytes, acknowledged };
  };
  return (member) => {
    const own = { name: member };
    const reportLink = linkReporter(
      (link) => tell({ kind: "link", ...own, counts: counts(), ...link }),
      systemMonotonicMs,
    );
    return {
      name,
      version,
      beginsAtOnce,
      uptime: () => (systemMonotonicMs() - startedAt) / 1_000,
      requestRestart: () => tell({ kind: "ask", ...own, request: { kind: "restart" } }),
      setLogLevel: (change) => tell({ kind: "ask", ...own, request: { kind: "log-level", ...change } }),
      reportLink: (event, count = 0) => {
        acknowledged += count;
        reportLink(event);
      },
      reportProgress: progressReporter(
        (progress) => tell({ kind: "progress", ...own, counts: counts(), ...progress }),
        systemMonotonicMs,
      ),
      ...(isOnTrial ? { reportHealth: healthReporter(member) } : {}),
    };
  };
}

function healthReporter(name: string): (lacks: string | undefined) => void {
  return (lacks) => tell({ kind: "health", name, ...(lacks === undefined ? {} : { lacks }) });
}

/** Tells the main process. */
export function tell(message: ToParent): void {
  process.send?.(message);
}
