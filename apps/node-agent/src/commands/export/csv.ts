import type { MessageArchiveItem, MessageBody } from "@ivy/types";
import { isoTime } from "../iso-time.ts";

export const CSV_HEADER = "time,revision,variant,key,value\n";

/**
 * The rows of a message, whose body is given in JSON, as RFC 4180 has them but for the line feeds: one for each value of
 * a data message; of a log its level and subject; of a configuration its status and the reason for that.
 */
export function toCsv({ timestamp, revision, message_body }: MessageArchiveItem<string>): string {
  const body: MessageBody = JSON.parse(message_body);
  const start = `${isoTime(timestamp)},${revision ?? ""},${body.variant},`;
  switch (body.variant) {
    case "data": {
      let rows = "";
      for (const key in body.data) rows += row(start, key, body.data[key] ?? "");
      return rows;
    }
    case "log":
      return row(start, body.level, body.body === "" ? body.subject : `${body.subject}\n${body.body}`);
    case "config":
      return row(start, body.status, body.reason ?? "");
  }
}

function row(start: string, key: string, value: string | number): string {
  return `${start}${field(key)},${field(value)}\n`;
}

const SPECIAL = /[",\r\n]/;

function field(value: string | number): string {
  if (typeof value === "number") return String(value);
  return SPECIAL.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
