import type { MessagingAgent } from "@ivy/messaging";
import { checked, NoParams } from "./method.ts";

/** What waits for the server. */
export interface QueueStats {
  /** Messages that the server has not acknowledged. */
  queued: number;
  /** Messages that were set aside. */
  dead: number;
  /** When the oldest message of the queue was added, in Unix milliseconds; `null` if there is none. */
  oldest: number | null;
}

export function readQueue(messages: Pick<MessagingAgent, "statistics">): QueueStats {
  const { queued, dead, oldest } = messages.statistics();
  return { queued, dead, oldest: oldest === undefined ? null : Math.round(oldest * 1_000) };
}

export const queueStats = checked({
  params: NoParams,
  perform: (_params, { node }) => ({ answer: readQueue(node.messages) }),
});
