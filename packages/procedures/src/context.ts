import type { Logger } from "@ivy/logger";
import type { MessagingAgent } from "@ivy/messaging";
import type { StateInterface } from "@ivy/state";
import type { LoopContext } from "./for-each-datapoint.ts";

/** What a procedure works with: the part of a process's context that the stock procedures use. */
export interface ProcedureContext extends Pick<LoopContext, "agent"> {
  logger: Pick<Logger, "debug" | "info" | "warning" | "exception">;
  messages: Pick<MessagingAgent, "addMessage">;
  state: Pick<StateInterface, "load" | "update">;
  /** Aborted when the process shall end. */
  signal: AbortSignal;
}
