import type { LoggingVerbosityConfig, LogLevel } from "@ivy/types";

/** Why a process is torn down: the agent stops, or the process is about to be started again. */
export type TeardownReason = "stop" | "restart";

/** One of the places that log entries go to. */
export type LogSink = keyof LoggingVerbosityConfig;

/** From which level on a sink gets entries; `null` sends nothing there. */
export interface LevelChange {
  sink: LogSink;
  level: LogLevel | null;
}

/** What a process of the agent may ask of the main process. */
export type AgentRequest = { kind: "restart" } | ({ kind: "log-level" } & LevelChange);

/** The connection of a backend to its server. Times are in milliseconds on the system's monotonic clock. */
export interface LinkReport {
  connected: boolean;
  /** When it was made or has ended. */
  since: number;
  /** When the server has last acknowledged a message, to within ten seconds. */
  lastAcknowledged?: number;
}

/** What a process has done with messages since it was started. */
export interface MessageCounts {
  stored: number;
  storedBytes: number;
  /** By the server. */
  acknowledged: number;
}

/** How far the loop of a procedure is. Times are in milliseconds on the system's monotonic clock. */
export interface ProgressReport {
  /** When this was so. */
  at: number;
  /** How often the loop has turned since the process was started; 0 when it has just begun. */
  turns: number;
  /** How many turns in a row have failed up to now. */
  failures: number;
  /** Why the last of them has failed. */
  error?: string;
  /** When a turn has last worked. */
  lastSuccess?: number;
  /** The usual time from one turn to the next, in milliseconds. */
  intervalMs: number;
  /** How long it will be until the next turn, in milliseconds. */
  nextInMs: number;
}

/** The agent that a process belongs to. */
export interface AgentIdentity {
  /** Name and version of the software. */
  name: string;
  version: string;
  /** When the main process was started, in milliseconds on the system's monotonic clock. */
  startedAt: number;
  /** Loops begin with a turn instead of waiting for its time: somebody waits to see one. */
  beginsAtOnce?: boolean;
  /** The agent has yet to prove that it works: its processes are to tell whether they are healthy. */
  isOnTrial?: boolean;
}

/** What a process is told when it starts. It travels over the IPC channel, where nobody else can read it. */
export interface ProcessSettings {
  dataDir: string;
  configDir: string;
  logsDir: string;
  verbosity: LoggingVerbosityConfig;
  /** Revision of the configuration. */
  revision: number;
  /** Texts that must not be logged. */
  secrets: readonly string[];
  agent: AgentIdentity;
}

/** From the main process to the other. Members are what runs in it; as a rule it is its only one. */
export type ToChild =
  | { kind: "start"; config: unknown; name: string; members: readonly string[]; settings: ProcessSettings }
  | { kind: "teardown"; reason: TeardownReason }
  | ({ kind: "log-level" } & LevelChange);

/**
 * To the main process: the process asks for its settings; one of its members asks for something else, or tells why the
 * process ends, of its connection, of its loop, or what it lacks to be healthy.
 */
export type ToParent =
  | { kind: "ready" }
  | { kind: "ask"; name: string; request: AgentRequest }
  | { kind: "error"; name: string; text: string }
  | { kind: "health"; name: string; lacks?: string }
  | ({ kind: "link"; name: string; counts: MessageCounts } & LinkReport)
  | ({ kind: "progress"; name: string; counts: MessageCounts } & ProgressReport);
