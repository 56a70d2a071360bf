import { runPreparation } from "@ivy/updater/child";

await runPreparation();
