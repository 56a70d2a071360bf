import type { MessageArchiveItem, MessageBody } from "@ivy/types";
import { isoTime } from "../queue/open.ts";

export const CSV_HEADER = "time,revision,variant,key,value\n";

/**
 * The rows of a message, as RFC 4180 has them but for the line feeds: one for each value of a data message; of a log
 * its level and subject; of a configuration its status and the reason for that.
 */
export function toCsv({ timestamp, revision, message_body: body }: MessageArchiveItem): string {
  const start = `${isoTime(timestamp)},${revision ?? ""},${body.variant},`;
  let rows = "";
  for (const [key, value] of valuesOf(body)) rows += `${start}${field(key)},${field(value)}\n`;
  return rows;
}

function valuesOf(body: MessageBody): (readonly [key: string, value: string | number])[] {
  switch (body.variant) {
    case "data":
      return Object.entries(body.data);
    case "log":
      return [[body.level, body.body === "" ? body.subject : `${body.subject}\n${body.body}`]];
    case "config":
      return [[body.status, body.reason ?? ""]];
  }
}

const SPECIAL = /[",\r\n]/;

function field(value: string | number): string {
  if (typeof value === "number") return String(value);
  return SPECIAL.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
