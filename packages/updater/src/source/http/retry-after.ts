const MAX_SECONDS = 86_400;

/**
 * Seconds until a host wants to be asked again: by `Retry-After` or, where it has said that the limit of a time is
 * used up, by the time of the reset. A date is held against the date of the answer: the clock here may be wrong.
 */
export function retryAfterSeconds(headers: Headers): number | undefined {
  const said = headers.get("retry-after");
  if (said !== null)
    return /^\d+$/.test(said) ? clamp(Number(said)) : clamp(until(Date.parse(said), headers));
  const remaining = headers.get("x-ratelimit-remaining") ?? headers.get("ratelimit-remaining");
  const reset = headers.get("x-ratelimit-reset") ?? headers.get("ratelimit-reset");
  if (remaining !== "0" || reset === null) return undefined;
  return clamp(until(Number(reset) * 1_000, headers));
}

function until(time: number, headers: Headers): number {
  const now = Date.parse(headers.get("date") ?? "");
  return (time - (Number.isNaN(now) ? Date.now() : now)) / 1_000;
}

function clamp(seconds: number): number | undefined {
  return Number.isFinite(seconds) ? Math.min(Math.max(Math.ceil(seconds), 0), MAX_SECONDS) : undefined;
}
