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
