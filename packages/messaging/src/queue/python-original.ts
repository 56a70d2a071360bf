import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { redact } from "@ivy/types/secret";
import type { Database } from "better-sqlite3";
import type { Period } from "../log/reader.ts";
import type { LogRecord } from "../log/record.ts";

/*
 * What Python Ivy 1.1.0 leaves behind. Its configuration messages hold passwords in clear; ours must not.
 */

const MS_PER_DAY = 86_400_000;

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

/** What stood in it is overwritten, the passwords of its configuration messages included. */
export function dropPythonQueue(database: Database): void {
  database.pragma("secure_delete = ON");
  database.exec("DROP TABLE queue");
}

/**
 * The messages of one of its archive files: lines of a time in seconds and a JSON text with its quotes doubled.
 *
 * @param incident - told of lines that cannot be read: a power cut under Python leaves a half, and the next one behind it
 */
export function readPythonArchive(file: string, incident: (text: string) => void): LogRecord[] {
  if (!existsSync(file)) return [];
  const [, ...lines] = readFileSync(file, "utf8").trim().split("\n");
  const records = lines.map((line, index) => readLine(line.trimEnd(), index));
  const first = records.indexOf(undefined);
  // The header is line 1.
  if (first >= 0) incident(`${file}: line ${first + 2} cannot be read, nor may others; what can is taken`);
  return records.filter((record) => record !== undefined);
}

function readLine(line: string, index: number): LogRecord | undefined {
  const [, seconds, body] = /^([\d.]+),"(.*)"$/.exec(line) ?? [];
  if (seconds === undefined || body === undefined) return undefined;
  try {
    const m = redact(JSON.parse(body.replaceAll('""', '"')));
    return { id: `python-${index}`, t: Math.round(Number(seconds) * 1_000), m };
  } catch {
    return undefined;
  }
}

/** The messages of a period in its archive files in a folder, oldest file first. */
export function* readPythonArchives(
  folder: string,
  { fromMs, toMs }: Period,
  incident: (text: string) => void,
): Generator<LogRecord> {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder).sort()) {
    const [, day] = /^(\d{4}-\d{2}-\d{2})\.csv$/.exec(name) ?? [];
    const begin = day === undefined ? Number.NaN : Date.parse(day);
    // The day in UTC in which they were written, which may be the one after that in which they were made.
    if (!(begin + MS_PER_DAY > fromMs && begin - MS_PER_DAY < toMs)) continue;
    const records = readPythonArchive(join(folder, name), incident);
    yield* records.filter(({ t }) => t >= fromMs && t < toMs);
  }
}
