import { runProcedures } from "@ivy/lifecycle/child";
import { RUNS } from "./sharing.ts";

/** The procedures that share a process, where `supervision.share_process` says so. */
await runProcedures(RUNS);
