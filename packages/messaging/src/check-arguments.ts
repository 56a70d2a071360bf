import type { Durability } from "./durability.ts";
import { InvalidArgumentError } from "./store-error.ts";

/** The log names its files by the day, and a year has four digits. */
const END_OF_TIME_MS = Date.UTC(10_000, 0);

const DURABILITIES: readonly unknown[] = ["sync", "window", "fast"] satisfies Durability[];

/** @throws InvalidArgumentError */
export function checkRevision(revision: number | undefined): void {
  if (revision === undefined || Number.isSafeInteger(revision)) return;
  throw new InvalidArgumentError("revision", "a whole number", revision);
}

/** @throws InvalidArgumentError */
export function checkDurability(durability: Durability | undefined): void {
  if (durability === undefined || DURABILITIES.includes(durability)) return;
  throw new InvalidArgumentError("durability", `one of ${DURABILITIES.join(", ")}`, durability);
}

/** A clock that throws an InvalidArgumentError where another tells what is no time in Unix milliseconds. */
export function checkedClock(now: () => number): () => number {
  return () => {
    const time = now();
    if (time >= 0 && time < END_OF_TIME_MS) return time;
    throw new InvalidArgumentError("what now() returns", "Unix milliseconds before the year 10000", time);
  };
}
