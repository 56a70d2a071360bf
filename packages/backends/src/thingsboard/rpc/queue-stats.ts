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

export function readQueue(messages: Pick<MessagingAgent, "getNLatestMessages" | "statistics">): QueueStats {
  // Looking for the oldest brings what only the log holds into the table, where it is counted.
  const [oldest] = messages.getNLatestMessages(1);
  const { queued, dead } = messages.statistics();
  return { queued, dead, oldest: oldest === undefined ? null : Math.round(oldest.timestamp * 1_000) };
}

export const queueStats = checked({
  params: NoParams,
  perform: (_params, { node }) => ({ answer: readQueue(node.messages) }),
});
