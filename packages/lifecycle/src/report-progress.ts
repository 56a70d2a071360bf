import type { ProgressReport } from "./ipc.ts";

/** A loop that turns more often than this is reported this often, in milliseconds. */
export const PROGRESS_GAP_MS = 5_000;

/** A loop tells that it has come to its start, or round again. */
export interface Turn {
  /** The usual time from one turn to the next, in seconds. */
  seconds: number;
  /** How long it will be until the next turn, in seconds; the usual time if left out. */
  nextInSeconds?: number;
  /** How many turns in a row have failed, this one included; none if left out. */
  failures?: number;
  /** Why the last of them has failed. */
  error?: string;
}

/**
 * Makes reports of the turns of a loop: few ones, however often it turns, for each wakes the main process up.
 *
 * @param now - milliseconds on the system's monotonic clock
 */
export function progressReporter(
  report: (progress: ProgressReport) => void,
  now: () => number,
): (turn: Turn) => void {
  let turns = -1;
  let lastSuccess: number | undefined;
  let told: ProgressReport | undefined;
  return ({ seconds, nextInSeconds = seconds, failures = 0, error }) => {
    const at = now();
    turns++;
    if (failures === 0 && turns > 0) lastSuccess = at;
    const progress: ProgressReport = {
      at,
      turns,
      failures,
      ...(error === undefined ? {} : { error }),
      ...(lastSuccess === undefined ? {} : { lastSuccess }),
      intervalMs: seconds * 1_000,
      nextInMs: nextInSeconds * 1_000,
    };
    if (told !== undefined && !isNews(told, progress)) return;
    told = progress;
    report(progress);
  };
}

/**
 * Whoever waits for the next turn has to know that the first one is over, for it may take longer than others, and of a
 * pause that is longer than what it was told last.
 */
function isNews(told: ProgressReport, { at, failures, nextInMs }: ProgressReport): boolean {
  return (
    told.turns === 0 ||
    at - told.at >= PROGRESS_GAP_MS ||
    failures > 0 !== told.failures > 0 ||
    nextInMs > told.nextInMs + PROGRESS_GAP_MS
  );
}
