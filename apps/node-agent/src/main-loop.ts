import { setTimeout as sleep } from "node:timers/promises";
import { watchFile } from "@ivy/files";
import type { Logger } from "@ivy/logger";
import type { Outcome, Updater } from "@ivy/updater";
import type { AgentConfig } from "./agent-config.ts";
import type { Pulse } from "./pulse.ts";
import { WakeUp } from "./wake-up.ts";

/** Pauses after failures in the main loop, in milliseconds; the last one repeats. */
const BACK_OFF_MS = [60_000, 240_000, 900_000];

/** The main loop looks for changes this often even if nothing tells of one, in milliseconds. */
const ROUND_MS = 60_000;

/** A round of the main loop that takes longer than this, a pause included, hangs; in milliseconds. */
const LONGEST_ROUND_MS = 3_600_000;

export interface Loop {
  updater: Pick<Updater<AgentConfig>, "performUpdate" | "reconsider" | "isPreparing">;
  logger: Pick<Logger, "exception">;
  stateFile: string;
  /** Aborted at the latest when the loop has ended. */
  signal: AbortSignal;
  pulse: Pulse;
}

/**
 * Performs changes as they come; returns when one has been performed, or when the signal aborts. The processes look
 * after themselves.
 */
export async function mainLoop({ updater, logger, stateFile, signal, pulse }: Loop): Promise<Outcome> {
  const wakeUp = new WakeUp();
  signal.addEventListener("abort", () => wakeUp.notify());
  watchFile(stateFile, signal, () => {
    updater.reconsider();
    wakeUp.notify();
  });
  using _round = setInterval(() => {
    wakeUp.notify();
    // Each step of it has an end of its own; the loop waits for the last.
    if (updater.isPreparing) pulse.beat(LONGEST_ROUND_MS);
  }, ROUND_MS);

  let outcome: Outcome = "nothing";
  for (let failures = 0; !signal.aborted && outcome === "nothing"; ) {
    pulse.beat(LONGEST_ROUND_MS);
    try {
      outcome = await updater.performUpdate(signal);
      failures = 0;
      if (outcome === "nothing") await wakeUp.wait();
    } catch (error) {
      logger.exception(error, { label: "The main loop failed and goes on after a pause" });
      const pause = BACK_OFF_MS[Math.min(failures++, BACK_OFF_MS.length - 1)];
      await sleep(pause, undefined, { signal }).catch(() => undefined);
    }
  }
  return outcome;
}
