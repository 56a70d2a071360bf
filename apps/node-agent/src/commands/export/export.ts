import type { Period } from "@ivy/messaging";
import { BufferedOutput } from "../buffered-output.ts";
import { openMessages } from "../queue/open.ts";
import { CSV_HEADER, toCsv } from "./csv.ts";
import { toJsonLine } from "./json-line.ts";

export async function exportMessages(period: Period, format: "csv" | "jsonl"): Promise<void> {
  await using opened = openMessages();
  const output = new BufferedOutput();
  if (format === "csv") output.write(CSV_HEADER);
  const shown = format === "csv" ? toCsv : toJsonLine;
  for (const message of opened.messages.textsOf(period)) output.write(shown(message));
  output.flush();
}
