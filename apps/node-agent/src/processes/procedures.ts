import { runProcedures } from "@ivy/lifecycle/child";
import { run as dummyProcedure } from "@ivy/procedures/dummy-procedure";
import { run as systemChecks } from "@ivy/procedures/system-checks";
import type { AgentConfig } from "../agent-config.ts";

/** All procedures, for when they share a process: `supervision.share_process`. */
await runProcedures<AgentConfig>({
  "dummy-procedure": dummyProcedure,
  "system-checks": systemChecks,
});
