import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { redact } from "@ivy/types/secret";
import type { Database } from "better-sqlite3";
import type { LogRecord } from "../log/record.ts";

/*
 * What Python Ivy 1.1.0 leaves behind. Its configuration messages hold passwords in clear; ours must not.
 */

interface QueueRow {
  internal_id: number;
  timestamp: number;
  message_body: string;
}

export function hasPythonQueue(database: Database): boolean {
  const columns = database.pragma("table_info(queue)") as { name: string }[];
  return columns.some(({ name }) => name === "internal_id");
}

export function readPythonQueue(database: Database): LogRecord[] {
  const rows = database.prepare<[], QueueRow>("SELECT * FROM queue ORDER BY internal_id").all();
  return rows.map(({ internal_id, timestamp, message_body }) => ({
    id: `python-${internal_id}`,
    t: Math.round(timestamp * 1_000),
    m: redact(JSON.parse(message_body)),
  }));
}

export function dropPythonQueue(database: Database): void {
  database.exec("DROP TABLE queue");
}

/** The messages of one of its archive files: lines of a time in seconds and a JSON text with its quotes doubled. */
export function readPythonArchive(file: string): LogRecord[] {
  if (!existsSync(file)) return [];
  const [, ...lines] = readFileSync(file, "utf8").trim().split("\n");
  return lines.flatMap((line, index) => {
    const [, seconds, body] = /^([\d.]+),"(.*)"$/.exec(line.trimEnd()) ?? [];
    if (seconds === undefined || body === undefined) return [];
    const m = redact(JSON.parse(body.replaceAll('""', '"')));
    return [{ id: `python-${index}`, t: Math.round(Number(seconds) * 1_000), m }];
  });
}

/** The messages of all its archive files in a folder, oldest file first. */
export function* readPythonArchives(folder: string): Generator<LogRecord> {
  if (!existsSync(folder)) return;
  const names = readdirSync(folder).filter((name) => /^\d{4}-\d{2}-\d{2}\.csv$/.test(name));
  for (const name of names.sort()) yield* readPythonArchive(join(folder, name));
}
