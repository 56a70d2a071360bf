import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The time of all messages, whenever they were added. */
export const EVER = { fromMs: 0, toMs: Date.UTC(9999) };

/** What was logged, on all days: one may end while a test runs. */
export function logOf(dataDir: string): string {
  const folder = join(dataDir, "logs");
  const days = existsSync(folder) ? readdirSync(folder).sort() : [];
  return days.map((name) => readFileSync(join(folder, name), "utf8")).join("");
}
