import { join } from "node:path";
import { listDailyFiles, sizeOf } from "../limits.ts";

/** Where the daily files of a folder end at some moment: their names, oldest first, and their bytes. */
export type LogEnd = ReadonlyMap<string, number>;

export function logEnd(folder: string): LogEnd {
  return new Map(listDailyFiles(folder).map((name) => [name, sizeOf(join(folder, name))]));
}
