import type { LoggingVerbosityConfig } from "@ivy/types";

/** Why a process is torn down: the agent stops, or the process is about to be started again. */
export type TeardownReason = "stop" | "restart";

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
}

/** From the main process to the other. */
export type ToChild =
  | { kind: "start"; config: unknown; name: string; settings: ProcessSettings }
  | { kind: "teardown"; reason: TeardownReason };

/** To the main process: the process asks for its settings; `run` has been called. */
export type ToParent = { kind: "ready" } | { kind: "running" };
