import { LOGGING_LEVEL_PRIORITIES, type LogLevel } from "@ivy/types";

/**
 * Whether a log level is passed on.
 *
 * @param minLogLevel - least important level that is passed on; `null` passes nothing on
 */
export function logLevelIsVisible(minLogLevel: LogLevel | null, logLevel: LogLevel): boolean {
  return minLogLevel !== null && LOGGING_LEVEL_PRIORITIES[logLevel] >= LOGGING_LEVEL_PRIORITIES[minLogLevel];
}
