import type { DeadLetter } from "@ivy/messaging";
import type { MessageBody, MessageQueueItem } from "@ivy/types";
import type { JsonOption } from "../config/check.ts";
import { isoTime } from "../iso-time.ts";
import { say, sayJson } from "../say.ts";
import { openMessages } from "./open.ts";

export async function peek(count: number, { json }: JsonOption): Promise<void> {
  await using opened = openMessages();
  const items = opened.messages.getNLatestMessages(count);
  if (json) return sayJson(items.map(shown));
  for (const item of items) say(line(item));
  if (items.length === 0) say("The queue is empty");
}

export async function showDeadLetters(count: number, { json }: JsonOption): Promise<void> {
  await using opened = openMessages();
  const letters: DeadLetter<MessageBody>[] = opened.messages.deadLetters(count);
  if (json)
    return sayJson(
      letters.map((letter) => ({
        ...shown(letter),
        reason: letter.reason,
        set_aside_at: letter.set_aside_at,
      })),
    );
  for (const letter of letters)
    say(`${line(letter)}\n  set aside at ${letter.set_aside_at}: ${letter.reason}`);
  if (letters.length === 0) say("There are no dead letters");
}

function shown({ identifier, timestamp, revision, message_body }: MessageQueueItem) {
  return { identifier, time: isoTime(timestamp), revision: revision ?? null, message_body };
}

function line({ identifier, timestamp, revision, message_body }: MessageQueueItem): string {
  return `${identifier}  ${isoTime(timestamp)}  revision ${revision ?? "-"}  ${JSON.stringify(message_body)}`;
}
