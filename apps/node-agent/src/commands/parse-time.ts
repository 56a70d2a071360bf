import { InvalidArgumentError } from "commander";

const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * An instant as somebody writes it: an ISO date or time (`2026-03-01`, `2026-03-01T12:00`, `2026-03-01T12:00Z`), or how
 * long ago it was (`90s`, `15m`, `2h`, `3d`).
 *
 * @param zone - what a time without an offset is in
 * @returns Unix milliseconds
 * @throws InvalidArgumentError where it is neither
 */
export function parseTime(text: string, zone: "local" | "UTC", now = Date.now()): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? [];
  if (count !== undefined) return now - Number(count) * UNITS_MS[unit as keyof typeof UNITS_MS];
  const [, date, time = "00:00", offset] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?(Z|[+-]\d\d:\d\d)?$/.exec(text) ?? [];
  const instant = Date.parse(`${date}T${time}${offset ?? (zone === "UTC" ? "Z" : "")}`);
  if (!Number.isNaN(instant)) return instant;
  throw new InvalidArgumentError("Write an ISO time like 2026-03-01T12:00, or how long ago it was, like 2h.");
}
