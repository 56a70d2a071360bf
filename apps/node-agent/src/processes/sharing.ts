import type { ProcedureRun } from "@ivy/lifecycle/child";
import { run as dummyProcedure } from "@ivy/procedures/dummy-procedure";
import { run as systemChecks } from "@ivy/procedures/system-checks";
import type { AgentConfig } from "../agent-config.ts";
import type { SHARING } from "../processes.ts";

/** What the procedures run that can share a process. */
export const RUNS: Record<(typeof SHARING)[number], ProcedureRun<AgentConfig>> = {
  "dummy-procedure": dummyProcedure,
  "system-checks": systemChecks,
};
