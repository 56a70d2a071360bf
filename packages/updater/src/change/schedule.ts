import { createHash } from "node:crypto";
import type { MaintenanceWindowConfig } from "@ivy/types";

const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 6 * 3_600_000;

/**
 * When in the time over which a fleet spreads its downloads one system has its turn, in milliseconds: always the same
 * for the same system and revision, and evenly spread over systems.
 */
export function spreadMs(system: string, revision: number, spreadSeconds: number): number {
  const drawn = createHash("sha256").update(`${system}\n${revision}`).digest().readUInt32BE(0);
  return Math.floor((drawn / 2 ** 32) * spreadSeconds * 1_000);
}

/**
 * How long to wait before what failed for now is tried again, in milliseconds: from a minute, twice as long each time,
 * up to six hours; half of it more or less by chance.
 *
 * @param failures - how often it has failed so far, at least 1
 */
export function retryPauseMs(failures: number, random: () => number = Math.random): number {
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
  return Math.round(pause * (0.5 + random()));
}

/** Whether the local time of an instant lies in a window, which may span midnight. */
export function isInWindow({ from, to }: MaintenanceWindowConfig, now: Date): boolean {
  const [begin, end] = [minutesOf(from), minutesOf(to)];
  const minutes = now.getHours() * 60 + now.getMinutes();
  return begin <= end ? begin <= minutes && minutes < end : begin <= minutes || minutes < end;
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return hours * 60 + minutes;
}
