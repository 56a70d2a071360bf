/** The last second that was written, for an export writes the same one again and again. */
let [second, written] = [Number.NaN, ""];

/** A time of the store in seconds, as ISO 8601 in UTC. */
export function isoTime(seconds: number): string {
  const ms = Math.round(seconds * 1_000);
  const whole = Math.floor(ms / 1_000);
  if (whole !== second) [second, written] = [whole, new Date(whole * 1_000).toISOString().slice(0, -4)];
  return `${written}${String(ms - whole * 1_000).padStart(3, "0")}Z`;
}
