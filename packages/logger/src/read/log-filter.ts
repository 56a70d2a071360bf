import { LOGGING_LEVEL_PRIORITIES, type LogLevel } from "@ivy/types";
import { logLevelIsVisible } from "../log-level.ts";
import type { LogEntry } from "./log-entry.ts";

/** Which entries are wanted; what is left out restricts nothing. */
export interface LogFilter {
  /** Who has written them. */
  origin?: string | undefined;
  /** Their minimum level. */
  level?: LogLevel | undefined;
  /** From this instant on, in Unix milliseconds. */
  sinceMs?: number | undefined;
  /** Before this instant, in Unix milliseconds. */
  untilMs?: number | undefined;
  /** What they hold somewhere, details and tracebacks included. */
  text?: string | undefined;
}

/** Whether an instant is one of those wanted. */
export function isWithin(instantMs: number, { sinceMs, untilMs }: LogFilter): boolean {
  return (sinceMs === undefined || instantMs >= sinceMs) && (untilMs === undefined || instantMs < untilMs);
}

/** Whether an entry from a wanted instant is wanted. */
export function matches(entry: LogEntry, { origin, level, text }: LogFilter): boolean {
  return (
    (origin === undefined || entry.origin === origin) &&
    (level === undefined || logLevelIsVisible(level, entry.level)) &&
    (text === undefined || entry.text.includes(text))
  );
}

/**
 * What every wanted entry holds, for a search in the bytes of a file, each of which is a character: most of a file is
 * passed over without a look at its entries. `undefined` where there is no such thing.
 */
export function hintOf({ text, level, origin }: LogFilter): RegExp | undefined {
  if (text !== undefined) return new RegExp(inBytes(text), "g");
  if (level !== undefined && level !== "DEBUG") {
    const levels = Object.keys(LOGGING_LEVEL_PRIORITIES) as LogLevel[];
    return new RegExp(`- (?:${levels.filter((one) => logLevelIsVisible(level, one)).join("|")}) `, "g");
  }
  return origin === undefined ? undefined : new RegExp(` - ${inBytes(origin)} `, "g");
}

function inBytes(text: string): string {
  return Buffer.from(text)
    .toString("latin1")
    .replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** Whether a daily file may hold wanted entries; with a day to spare, for its date is that of local time. */
export function mayHold(name: string, { sinceMs, untilMs }: LogFilter): boolean {
  const DAY_MS = 86_400_000;
  const begin = Date.parse(name.slice(0, 10));
  return (
    (sinceMs === undefined || begin + 2 * DAY_MS > sinceMs) &&
    (untilMs === undefined || begin - DAY_MS < untilMs)
  );
}
