import { runProcedure } from "@ivy/lifecycle/child";
import { run } from "@ivy/procedures/dummy-procedure";

await runProcedure(run);
