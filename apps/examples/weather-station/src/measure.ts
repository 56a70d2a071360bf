import { setTimeout as sleep } from "node:timers/promises";
import type { Reading, Readings } from "./reading.ts";

/** Takes a reading now and then, and keeps each. */
export async function measure(
  readings: Readings,
  station: string,
  seconds: number,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await readings.addMessage(readSensor(station));
    await sleep(seconds * 1_000, undefined, { signal }).catch(() => undefined);
  }
}

/** Stands for a real sensor: warmer by day than by night. */
function readSensor(station: string): Reading {
  const now = new Date();
  const celsius = 12 - 8 * Math.cos((now.getUTCHours() / 12) * Math.PI) + Math.random();
  return { station, measured_at: now.toISOString(), celsius: Number(celsius.toFixed(2)) };
}
