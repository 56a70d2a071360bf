import { existsSync } from "node:fs";

/** Exists while systemd-timesyncd runs; the file in it once it has set the clock since the last boot. */
const TIMESYNC = "/run/systemd/timesync";

/**
 * Whether the clock has been set by a time server since the last boot. `null`: nothing that tells has been found; other
 * services for the time leave no trace that could be read without their tools.
 */
export function clockIsSynchronised(folder = TIMESYNC): boolean | null {
  if (existsSync(`${folder}/synchronized`)) return true;
  return existsSync(folder) ? false : null;
}
