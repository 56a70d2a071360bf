export { type AutomationLockOptions, withAutomationLock } from "./automation-lock.ts";
export { systemMonotonicMs } from "./clock.ts";
export { backendEntrypoint, type Entrypoint, procedureEntrypoint, type Variant } from "./entrypoint.ts";
export { AutomationLockedError, LifecycleUsageError, StartError, StopError } from "./errors.ts";
export type {
  AgentIdentity,
  AgentRequest,
  LevelChange,
  LinkReport,
  LogSink,
  MessageCounts,
  ProcessSettings,
  ProgressReport,
  TeardownReason,
  ToChild,
  ToParent,
} from "./ipc.ts";
export {
  LifecycleManager,
  type LifecycleOptions,
  SECONDS_PER_GRACEFUL_PROCEDURE_TEARDOWN,
} from "./lifecycle-manager.ts";
export { tolerateLostOutput } from "./lossy-output.ts";
export { MainloopToggle, type MainloopToggleOptions } from "./mainloop-toggle.ts";
export { MEMORY_FLAGS } from "./memory-flags.ts";
export { childrenOf } from "./process-info.ts";
export type { ProcessEnd, ProcessStatus } from "./process-status.ts";
export type { Patience } from "./progress-watch.ts";
export { RestartPause } from "./restart-pause.ts";
export { systemdUnit, type UnitOptions } from "./systemd-unit.ts";
export { tellUp } from "./tell-up.ts";
