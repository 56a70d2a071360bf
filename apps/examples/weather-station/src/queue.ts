import type { Readings } from "./reading.ts";

/** The oldest readings that the broker does not have yet, a line each. */
export function waiting(readings: Readings, most: number): string[] {
  return readings
    .getNLatestMessages(most)
    .map(({ message_body: { station, measured_at, celsius } }) => `${measured_at} ${station} ${celsius} °C`);
}

/** Gives up the oldest readings; the log keeps them. Returns how many. */
export function drop(readings: Readings, most: number): number {
  const given = readings.getNLatestMessages(most).map(({ identifier }) => identifier);
  readings.removeMessages(given);
  return given.length;
}
