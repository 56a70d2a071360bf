import type { AgentConfig } from "./agent-config.ts";

/** A backend is killed this long after the time that it has for draining, in seconds. */
export const SECONDS_AFTER_DRAIN = 15;

/** What everything else may take until the agent has ended, in seconds: procedures end or are killed, notes are written. */
const SECONDS_FOR_THE_REST = 60;

/** The longest drain that a configuration may ask for, in seconds. */
const LONGEST_DRAIN = 7_200;

/** How long an agent with this configuration may take to end, in seconds; the longest where it is not known. */
export function secondsToStop(config: Pick<AgentConfig, "backend"> | undefined): number {
  const drain = config === undefined ? LONGEST_DRAIN : (config.backend?.max_drain_time ?? 0);
  return drain + SECONDS_AFTER_DRAIN + SECONDS_FOR_THE_REST;
}
