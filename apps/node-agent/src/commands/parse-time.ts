import { InvalidArgumentError } from "commander";

/** All times that a command is given are as long ago as they were when it was. */
const CALLED_AT = Date.now();

const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * An instant as somebody writes it: an ISO date or time (`2026-03-01`, `2026-03-01T12:00`, `2026-03-01T12:00Z`), or how
 * long ago it was (`90s`, `15m`, `2h`, `3d`).
 *
 * @param zone - what a time without an offset is in
 * @returns Unix milliseconds
 * @throws InvalidArgumentError where it is neither
 */
export function parseTime(text: string, zone: "local" | "UTC", now = CALLED_AT): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? [];
  if (count !== undefined) return now - Number(count) * UNITS_MS[unit as keyof typeof UNITS_MS];
  const [, date, time = "00:00", offset] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?(Z|[+-]\d\d:\d\d)?$/.exec(text) ?? [];
  const instant = Date.parse(`${date}T${time}${offset ?? (zone === "UTC" ? "Z" : "")}`);
  // A day that its month does not have is taken for one of the next.
  const isDay = new Date(`${date}T00:00Z`).getUTCDate() === Number(date?.slice(-2));
  if (!Number.isNaN(instant) && isDay) return instant;
  throw new InvalidArgumentError("Write an ISO time like 2026-03-01T12:00, or how long ago it was, like 2h.");
}

/**
 * Refuses a range in which nothing can be.
 *
 * @param names - of the options that hold its ends
 */
export function refuseEmptyRange(from: number, to: number, names: readonly [from: string, to: string]): void {
  if (from < to) return;
  throw new Error(
    `${names[0]} must be before ${names[1]}: came ${new Date(from).toISOString()} and ${new Date(to).toISOString()}. ` +
      `A date is its first instant, so a whole day ends with the date of the next`,
  );
}
