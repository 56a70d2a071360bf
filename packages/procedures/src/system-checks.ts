import { availableParallelism, loadavg, uptime } from "node:os";
import type { Config } from "@ivy/types";
import type { ProcedureContext } from "./context.ts";
import { forEachDatapoint } from "./for-each-datapoint.ts";

/** Above this load of five minutes there is a warning, in percent. */
const HIGH_LOAD = 70;

/** Looks at the load of the system and at the time of its last boot, and leaves both in the state. */
export async function run(
  config: Pick<Config, "system_checks">,
  _name: string,
  node: ProcedureContext,
): Promise<void> {
  const seconds = config.system_checks.seconds_between_checks;
  await forEachDatapoint({ seconds, node, beginsAtOnce: true }, () => check(node));
}

async function check({ logger, state }: ProcedureContext): Promise<void> {
  const [one = 0, five = 0, fifteen = 0] = loadavg().map(inPercent);
  logger.debug(`System load of the last 1/5/15 minutes [%]: ${one}/${five}/${fifteen}`);
  if (five > HIGH_LOAD)
    logger.warning(`The system load is above ${HIGH_LOAD} %`, `${five} % in the last 5 minutes`);

  const bootTime = lastBootTime();
  logger.debug(`Last boot: ${bootTime}`);
  await state.update(({ system }) => {
    system.last_5_min_load = five;
    system.last_boot_time = bootTime;
  });
}

/** A load average in percent of all processors. */
function inPercent(load: number): number {
  return Math.round((load / availableParallelism()) * 100);
}

/** To the minute: it follows from the wall clock, and small steps of that are no reason to write the state. */
function lastBootTime(): string {
  const MINUTE_MS = 60_000;
  const instant = Date.now() - uptime() * 1_000;
  return new Date(Math.round(instant / MINUTE_MS) * MINUTE_MS).toISOString();
}
