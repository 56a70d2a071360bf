import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "@ivy/logger";
import { type Health, Inquiry } from "./inquiry.ts";
import { getTimeToNextDatapoint } from "./time-to-next-datapoint.ts";

/** Pauses after failures, in seconds; the last one repeats. */
const BACK_OFF_SECONDS = [60, 240, 900];

/** A timer may fire a little early, at most this much, in milliseconds: then the point it was meant for is still to come. */
const TIMER_TOLERANCE_MS = 50;

/** What the loop needs of the context of a process. */
export interface LoopContext {
  logger: Pick<Logger, "exception" | "info">;
  signal: AbortSignal;
  /** Told that the loop comes round, so that one that hangs is noticed. Nobody is where it is left out. */
  agent?: {
    reportProgress(turn: Turn): void;
    /** Told what is missing still, and `undefined` once it is nothing; only there while somebody wants to know. */
    reportHealth?(lacks: string | undefined): void;
    /** The first point is now: somebody waits to see one. */
    readonly beginsAtOnce?: boolean;
  };
}

/** The loop tells that it has come to its start, or round again. Times are in seconds. */
export interface Turn {
  seconds: number;
  nextInSeconds: number;
  /** How many turns in a row have failed, and why the last one has. */
  failures: number;
  error?: string;
}

/** Time as the loop sees it; the real one if left out. */
export interface Clock {
  /** The wall clock, in Unix milliseconds. */
  now(): number;
  /** Resolves after some time on the monotonic clock, or early when the signal aborts. */
  sleep(seconds: number, signal: AbortSignal): Promise<void>;
}

export interface DatapointOptions {
  /** The interval between two data points, in seconds. */
  seconds: number;
  node: LoopContext;
  /** The first point is now; otherwise it is the next one of the grid. */
  beginsAtOnce?: boolean;
  /**
   * Whether all is there that the measurement needs. A version or configuration on trial is not accepted before this has
   * said `true` once; what it says or throws instead is told as what is missing. Asked between two points, every 5 s at
   * least, and never where there is no trial. A point that is due meanwhile waits for the answer.
   */
  healthy?: () => Health | Promise<Health>;
  clock?: Clock;
}

/**
 * Calls `measure` at every point of the grid of {@link getTimeToNextDatapoint}, and at once if asked for, until the process shall end. When it
 * throws, the error is logged, and the loop goes on after a pause that grows with each failure in a row.
 */
export async function forEachDatapoint(
  { seconds, node, beginsAtOnce = false, healthy, clock = systemClock }: DatapointOptions,
  measure: () => void | Promise<void>,
): Promise<void> {
  const { logger, signal, agent } = node;
  const report = healthy && agent?.reportHealth?.bind(agent);
  const inquiry = report && new Inquiry({ healthy, report, clock, signal });
  const rest = (time: number) => inquiry?.sleep(time) ?? clock.sleep(time, signal);
  let due = 0;
  for (let failures = 0; !signal.aborted; ) {
    // Before it is told that the loop begins: without an answer that would be taken for healthy.
    if (inquiry !== undefined) await inquiry.ask();
    const now = clock.now();
    let pause = getTimeToNextDatapoint(seconds, () => now);
    if (Math.abs(now + pause * 1_000 - due) < TIMER_TOLERANCE_MS) pause += seconds;
    if (due === 0 && (beginsAtOnce || agent?.beginsAtOnce)) pause = 0;
    due = now + pause * 1_000;
    if (failures === 0) agent?.reportProgress({ seconds, nextInSeconds: pause, failures });
    await rest(pause);
    if (signal.aborted) return;
    try {
      await measure();
      failures = 0;
    } catch (error) {
      const backOff = BACK_OFF_SECONDS[Math.min(failures++, BACK_OFF_SECONDS.length - 1)] ?? seconds;
      logger.exception(error, { details: `Trying again after ${backOff} s` });
      const nextInSeconds = backOff + seconds;
      agent?.reportProgress({ seconds, nextInSeconds, failures, error: String(error) });
      await rest(backOff);
    }
  }
}

const systemClock: Clock = {
  now: Date.now,
  sleep: (seconds, signal) => sleep(seconds * 1_000, undefined, { signal }).catch(() => undefined),
};
