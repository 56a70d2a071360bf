import { run } from "@ivy/backends/tenta";
import { runBackend } from "@ivy/lifecycle/child";

await runBackend(run);
