/** An instant as the log writes it: local time with its true offset from UTC, `2021-08-22 16:00:00.000 UTC+2`. */
export function formatLocalTime(instantMs: number): string {
  return `${formatLocalDate(instantMs)} ${shifted(instantMs).slice(11, 23)} UTC${offsetInHours(instantMs)}`;
}

/** The local date of an instant: `2021-08-22`. */
export function formatLocalDate(instantMs: number): string {
  return shifted(instantMs).slice(0, 10);
}

/** The digits of local time, as those of an instant in UTC that lies so much later. */
function shifted(instantMs: number): string {
  return new Date(instantMs - offsetInMinutes(instantMs) * 60_000).toISOString();
}

/** Hours east of UTC, with a sign: `+2`, `-3.5`, `+0`. */
function offsetInHours(instantMs: number): string {
  const hours = -offsetInMinutes(instantMs) / 60;
  return `${hours < 0 ? "-" : "+"}${Number(Math.abs(hours).toFixed(3))}`;
}

function offsetInMinutes(instantMs: number): number {
  return new Date(instantMs).getTimezoneOffset();
}
