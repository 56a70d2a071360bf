export { UpdateDeferredError, UpdateRejectedError, type UpdateStep } from "./errors.ts";
export { type RootPaths, rootPaths } from "./root/paths.ts";
export { isSetUp, layOutRoot, type SetUpOptions, setUpNode } from "./set-up-node.ts";
export { checkRoom } from "./steps/check-room.ts";
export { type InstallOptions, installDependencies, type VersionStepOptions } from "./steps/install.ts";
export { pnpmOf } from "./steps/pnpm.ts";
export { runStep, type StepOptions } from "./steps/run-step.ts";
export { buildVersion, runVersionChangeTests, type TestOptions } from "./steps/version-steps.ts";
export { Updater, type UpdaterOptions } from "./updater.ts";
