import type { JsonOption } from "../config/check.ts";
import { say, sayJson } from "../say.ts";
import { openMessages } from "./open.ts";

/** @param wanted - identifiers of dead letters, or "all" */
export async function requeue(wanted: readonly string[], { json }: JsonOption): Promise<void> {
  await using opened = openMessages();
  const { messages } = opened;
  const all = messages.deadLetters(Number.MAX_SAFE_INTEGER).map(({ identifier }) => identifier);
  const chosen = wanted.includes("all") ? all : wanted.map(Number);
  const unknown = chosen.filter((identifier) => !all.includes(identifier));
  if (unknown.length > 0) {
    const which = wanted.filter((text) => unknown.includes(Number(text)) || Number.isNaN(Number(text)));
    throw new Error(
      `There is no dead letter ${which.join(", ")}; "queue dead" shows them. Nothing was changed`,
    );
  }
  const requeued = await messages.requeue(chosen);
  if (json) sayJson({ requeued });
  else say(`${requeued} dead letters are in the queue again`);
}
