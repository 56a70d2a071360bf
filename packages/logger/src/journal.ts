import { fstatSync } from "node:fs";
import type { LogLevel } from "@ivy/types";

/** Priorities of syslog, which the journal of systemd knows. */
const PRIORITIES: Record<LogLevel, number> = { DEBUG: 7, INFO: 6, WARNING: 4, ERROR: 3, EXCEPTION: 3 };

/**
 * Whether what is written to a file descriptor goes into the journal of systemd.
 *
 * @param journal - device and inode of the journal's end, as systemd tells it in the environment
 */
export function isJournal(descriptor: number, journal = process.env["JOURNAL_STREAM"]): boolean {
  if (journal === undefined) return false;
  const { dev, ino } = fstatSync(descriptor);
  return journal === `${dev}:${ino}`;
}

/** The journal takes each line for an entry, and its priority from the beginning of the line. */
export function withPriority(text: string, level: LogLevel): string {
  return text.replaceAll(/^(?=.)/gm, `<${PRIORITIES[level]}>`);
}
