export type { ChangeProgress, Site } from "./change/site.ts";
export { UpdateDeferredError, UpdateRejectedError, type UpdateStep } from "./errors.ts";
export { readGeneration } from "./root/generation.ts";
export { type RootPaths, rootPaths, versionFolder } from "./root/paths.ts";
export { readPointer } from "./root/pointers.ts";
export { proveItself, type TrialOptions } from "./trial.ts";
export { type Outcome, Updater, type UpdaterOptions } from "./updater.ts";
