export { followLogs } from "./read/follow.ts";
export type { LogEnd } from "./read/log-end.ts";
export type { LogEntry } from "./read/log-entry.ts";
export type { LogFilter } from "./read/log-filter.ts";
export { lastEntries, searchLogs } from "./read/search.ts";
