import { run } from "@ivy/backends/mqtt";
import { runBackend } from "@ivy/lifecycle/child";

await runBackend(run);
