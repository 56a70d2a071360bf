import type { MessageArchiveItem } from "@ivy/types";
import { isoTime } from "../queue/open.ts";

/** A message as one line of JSON. */
export function toJsonLine({ timestamp, revision, message_body }: MessageArchiveItem): string {
  return `{"time":"${isoTime(timestamp)}","revision":${revision ?? null},"message":${JSON.stringify(message_body)}}\n`;
}
