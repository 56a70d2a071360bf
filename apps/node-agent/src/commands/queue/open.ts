import { existsSync } from "node:fs";
import { join } from "node:path";
import { MessagingAgent } from "@ivy/messaging";
import { DATA_DIR } from "../../constants.ts";

/** The messages of this node, whether its agent runs or not. */
export interface OpenMessages extends AsyncDisposable {
  messages: MessagingAgent;
}

/** @throws Error where there are none: whoever looks for messages shall not create any */
export function openMessages(): OpenMessages {
  if (!existsSync(join(DATA_DIR, "messages")))
    throw new Error(`There are no messages yet: the agent has not run on ${DATA_DIR}`);
  const messages = new MessagingAgent({
    dataDir: DATA_DIR,
    onIncident: (text) => process.stderr.write(`${text}\n`),
  });
  return { messages, [Symbol.asyncDispose]: () => messages.teardown() };
}

/** The last second that was written, for an export writes the same one again and again. */
let [second, written] = [Number.NaN, ""];

/** A time of the store in seconds, as ISO 8601 in UTC. */
export function isoTime(seconds: number): string {
  const ms = Math.round(seconds * 1_000);
  const whole = Math.floor(ms / 1_000);
  if (whole !== second) [second, written] = [whole, new Date(whole * 1_000).toISOString().slice(0, -4)];
  return `${written}${String(ms - whole * 1_000).padStart(3, "0")}Z`;
}
