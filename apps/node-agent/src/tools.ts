import { join } from "node:path";
import type { Patience } from "@ivy/lifecycle";
import { Logger } from "@ivy/logger";
import { MessagingAgent } from "@ivy/messaging";
import { StateInterface } from "@ivy/state";
import { SupervisionConfig, secretsOf } from "@ivy/types";
import { AgentConfig } from "./agent-config.ts";

/** What the main process works with under one configuration. */
export interface Tools extends AsyncDisposable {
  logger: Logger;
  messages: MessagingAgent;
  state: StateInterface;
}

export function createTools(config: AgentConfig, dataDir: string): Tools {
  const messages = new MessagingAgent({
    dataDir,
    revision: config.general.config_revision,
    onIncident: (text) => logger.warning(text),
  });
  const logger = new Logger({
    origin: "main",
    verbosity: verbosityOf(config),
    logsDir: join(dataDir, "logs"),
    secrets: secretsOf(config, AgentConfig),
    sendMessage: (body) => messages.addMessage(body),
  });
  const state = new StateInterface({ dataDir, onIncident: (text) => logger.error(text) });
  return {
    logger,
    messages,
    state,
    async [Symbol.asyncDispose]() {
      await messages.teardown();
      logger[Symbol.dispose]();
    },
  };
}

/** How long a process may make no progress. */
export function patienceOf({ supervision }: AgentConfig): Patience {
  const { missed_intervals, shortest_patience, start_patience } = SupervisionConfig.parse(supervision ?? {});
  return {
    missedIntervals: missed_intervals,
    shortestMs: shortest_patience * 1_000,
    startMs: start_patience * 1_000,
  };
}

/** Where there is no backend, nobody would ever take a log message out of the queue. */
export function verbosityOf(config: AgentConfig): AgentConfig["logging_verbosity"] {
  return config.backend ? config.logging_verbosity : { ...config.logging_verbosity, message_sending: null };
}
