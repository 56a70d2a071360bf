import * as z from "zod/mini";

/** Order of the logging levels; a higher number is more important. */
export const LOGGING_LEVEL_PRIORITIES = {
  DEBUG: 0,
  INFO: 1,
  WARNING: 2,
  ERROR: 3,
  EXCEPTION: 4,
} as const;

export const LogLevel = z.enum(["DEBUG", "INFO", "WARNING", "ERROR", "EXCEPTION"]);
export type LogLevel = z.infer<typeof LogLevel>;
