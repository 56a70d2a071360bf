import { once } from "node:events";

/** When the programs' clocks show midnight. */
const MIDNIGHT = Date.UTC(2030, 0, 1);

/** The days that the messages are from. */
export const DAYS = ["2029-12-31", "2030-01-01"];

/** A clock of the day after. */
export const afterwards = () => MIDNIGHT + 3_600_000;

/**
 * Tells the parent that this program can begin, and waits for the others.
 *
 * @returns the clock that all of them go by, which passes midnight at the instant that the parent names
 */
export async function begin(): Promise<() => number> {
  process.stdout.write("ready\n");
  const [line] = await once(process.stdin, "data");
  const midnight = Number(line);
  return () => MIDNIGHT + Date.now() - midnight;
}
