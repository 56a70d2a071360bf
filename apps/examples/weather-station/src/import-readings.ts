import { readFileSync } from "node:fs";
import type { Reading, Readings } from "./reading.ts";

/**
 * Adds what a data logger has written down, all of it or nothing: lines of `time,celsius,hectopascal`.
 *
 * @returns how many readings that were, once they are on disk
 */
export async function importReadings(readings: Readings, station: string, file: string): Promise<number> {
  const lines = readFileSync(file, "utf8").trim().split("\n");
  const imported = lines.map((line): Reading => {
    const [measured_at = "", celsius, hectopascal] = line.split(",");
    return {
      station,
      measured_at,
      celsius: Number(celsius),
      ...(hectopascal ? { hectopascal: Number(hectopascal) } : {}),
    };
  });
  await readings.addMessages(imported, { durability: "sync" });
  return imported.length;
}
