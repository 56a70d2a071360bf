import { runProcedure } from "@ivy/lifecycle/child";
import { run } from "@ivy/procedures/system-checks";

await runProcedure(run);
