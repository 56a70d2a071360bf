/** Whether a process measures (`procedure`) or speaks to a server (`backend`): they are torn down differently. */
export type Variant = "procedure" | "backend";

/** A module that is run as a process: one that calls `runProcedure` or `runBackend` of `@ivy/lifecycle/child`. */
export interface Entrypoint {
  readonly variant: Variant;
  readonly module: URL;
}

/** @param module - a file that calls `runProcedure` at its top level */
export function procedureEntrypoint(module: URL): Entrypoint {
  return { variant: "procedure", module };
}

/** @param module - a file that calls `runBackend` at its top level */
export function backendEntrypoint(module: URL): Entrypoint {
  return { variant: "backend", module };
}
