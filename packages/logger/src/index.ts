export { isJournal, withPriority } from "./journal.ts";
export type { LogLimits } from "./limits.ts";
export { logLevelIsVisible } from "./log-level.ts";
export { type ExceptionOptions, Logger, type LoggerOptions } from "./logger.ts";
