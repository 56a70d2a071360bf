import { existsSync } from "node:fs";
import { join } from "node:path";
import { followLogs, type LogEntry, type LogFilter, lastEntries, searchLogs } from "@ivy/logger/read";
import type { LogLevel } from "@ivy/types";
import { DATA_DIR } from "../../constants.ts";
import { termination } from "../../termination.ts";
import { BufferedOutput } from "../buffered-output.ts";

export interface ShowOptions {
  /** How many entries at most, the last ones. */
  count: number;
  follow?: boolean;
  origin?: string;
  level?: LogLevel;
  /** Unix milliseconds. */
  since?: number;
  until?: number;
  text?: string;
  json?: boolean;
}

export async function showLogs(options: ShowOptions): Promise<void> {
  const { count, follow, origin, level, since, until, text, json } = options;
  const filter: LogFilter = { origin, level, sinceMs: since, untilMs: until, text };
  const folder = join(DATA_DIR, "logs");
  if (!existsSync(folder)) throw new Error(`There are no logs yet: the agent has not run on ${DATA_DIR}`);
  const shown = json ? asJson : ({ text }: LogEntry) => text;

  // What is added meanwhile comes when this is through with what is there, so that nothing is missed or comes twice.
  const added = (entry: LogEntry) => void process.stdout.write(shown(entry));
  const end = follow ? followLogs(folder, filter, { signal: termination(), found: added }) : undefined;
  const output = new BufferedOutput();
  const found = Number.isFinite(count)
    ? lastEntries(folder, filter, count, end)
    : searchLogs(folder, filter, end);
  for (const entry of found) output.write(shown(entry));
  output.flush();
}

function asJson({ instantMs, origin, level, subject, body }: LogEntry): string {
  return `${JSON.stringify({ time: new Date(instantMs).toISOString(), origin, level, subject, body })}\n`;
}
