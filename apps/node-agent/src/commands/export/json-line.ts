import type { MessageArchiveItem } from "@ivy/types";
import { isoTime } from "../iso-time.ts";

/** A message, whose body is given in JSON, as one line of JSON. */
export function toJsonLine({ timestamp, revision, message_body }: MessageArchiveItem<string>): string {
  return `{"time":"${isoTime(timestamp)}","revision":${revision ?? null},"message":${message_body}}\n`;
}
