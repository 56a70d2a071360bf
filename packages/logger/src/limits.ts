import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { isCode } from "@ivy/files";

/** How much of the log is kept. The file of the current day is, whatever its size. */
export interface LogLimits {
  /** Bytes of all daily files together. */
  bytes: number;
  /** Days that have a file: counted by files, for a clock can be wrong by years. */
  days: number;
}

export const DEFAULT_LIMITS: LogLimits = { bytes: 256 * 1024 * 1024, days: 90 };

const DAILY_FILE = /^\d{4}-\d{2}-\d{2}\.log$/;

/** The names of the daily files, oldest first. */
export function listDailyFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => DAILY_FILE.test(name))
      .sort();
  } catch (error) {
    if (isCode(error, "ENOENT")) return [];
    throw error;
  }
}

/**
 * Removes the oldest daily files, until the others are within the limits.
 *
 * @param current - name of the file that is written to
 */
export function keepWithinLimits(folder: string, current: string, { bytes, days }: LogLimits): void {
  let [bytesLeft, daysLeft] = [bytes - sizeOf(join(folder, current)), days - 1];
  for (const name of listDailyFiles(folder).reverse()) {
    if (name === current) continue;
    bytesLeft -= sizeOf(join(folder, name));
    daysLeft--;
    if (bytesLeft < 0 || daysLeft < 0) rmSync(join(folder, name), { force: true });
  }
}

/** In bytes; 0 where another process has removed the file meanwhile. */
export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
