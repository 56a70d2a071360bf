import type { MessageArchiveItem, MessageQueueItem } from "@ivy/types";
import type { Located } from "./log/reader.ts";
import type { LogRecord } from "./log/record.ts";

/** A message of the log as users of the queue see it. */
export function toItem<Body>({
  identifier,
  record,
}: Pick<Located, "identifier" | "record">): MessageQueueItem<Body> {
  return { identifier, ...toArchiveItem<Body>(record) };
}

/** The same without its place, as users of the archive see it. */
export function toArchiveItem<Body>({ t, r, m }: Omit<LogRecord, "id">): MessageArchiveItem<Body> {
  const [timestamp, message_body] = [t / 1_000, m as Body];
  return r === undefined ? { timestamp, message_body } : { timestamp, revision: r, message_body };
}
