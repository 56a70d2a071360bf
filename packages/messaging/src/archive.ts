import { join } from "node:path";
import type { LogFile, LogFolder } from "./log/folder.ts";
import { LANES, type Lane } from "./log/place.ts";
import { type Period, readPeriod, readWholeLog, type TextRecord, toTextRecord } from "./log/reader.ts";
import type { LogRecord } from "./log/record.ts";
import { readPythonArchive, readPythonArchives } from "./queue/python-original.ts";

/**
 * The records of one day's files, of both lanes by their time; those of Python Ivy first.
 *
 * @param incident - told of files of Python Ivy with lines that cannot be read
 */
export function readDay(folder: LogFolder, date: string, incident: (text: string) => void): LogRecord[] {
  const original = readPythonArchive(join(folder.path, `${date}.csv`), incident);
  return [...original, ...inOrder([readDayOfLane(folder, date, "regular")], [readUrgentDay(folder, date)])];
}

/** Those of its urgent messages alone: the data may be very many. */
export function readUrgentDay(folder: LogFolder, date: string): LogRecord[] {
  return readDayOfLane(folder, date, "urgent");
}

/** The records of a period, of whatever files: of both lanes by their time; those of Python Ivy first. */
export function* readTexts(
  folder: LogFolder,
  period: Period,
  incident: (text: string) => void,
): Generator<TextRecord> {
  for (const record of readPythonArchives(folder.path, period, incident)) yield toTextRecord(record);
  const [urgent = [], regular = []] = LANES.map((lane) => readFiles(folder.list(lane), period));
  yield* inOrder(regular, urgent);
}

function readDayOfLane(folder: LogFolder, date: string, lane: Lane): LogRecord[] {
  const files = folder.list(lane).filter(({ day }) => day === date);
  return files.flatMap((file) => [...readWholeLog(file)].map(({ record }) => record));
}

function* readFiles(files: readonly LogFile[], period: Period): Generator<TextRecord[]> {
  for (const file of files) yield* readPeriod(file, period);
}

/** The records of two lanes, which come some at a time, by their time; each lane in its own order. */
function* inOrder<Timed extends { t: number }>(
  one: Iterable<Timed[]>,
  other: Iterable<Timed[]>,
): Generator<Timed> {
  const rest = oneByOne(other);
  let next = rest.next();
  for (const records of one) {
    for (const record of records) {
      for (; !next.done && next.value.t < record.t; next = rest.next()) yield next.value;
      yield record;
    }
  }
  for (; !next.done; next = rest.next()) yield next.value;
}

function* oneByOne<Item>(groups: Iterable<Item[]>): Generator<Item> {
  for (const group of groups) yield* group;
}
