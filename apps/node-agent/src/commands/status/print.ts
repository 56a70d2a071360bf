import { readStatistics } from "@ivy/messaging/statistics";
import { rootPaths } from "@ivy/updater/paths";
import { CONFIG_FILE, DATA_DIR, LOCK_FILE, NAME, ROOT_DIR, VERSION } from "../../constants.ts";
import { collectStatus } from "../../status/collect.ts";
import { askMain } from "../../status/live.ts";
import { renderStatus } from "../../status/render.ts";
import type { StatusReport } from "../../status/schema.ts";
import { say } from "../say.ts";

const EXIT_CODES: Record<StatusReport["state"], number> = { well: 0, stopped: 3, degraded: 4 };

/**
 * A main process that takes longer to answer is busy, or hangs; in milliseconds. Where this process itself has taken
 * its time to start, the machine is slow or busy, and the main process is given twice as long.
 */
const answerMs = () => Math.max(100, 2 * performance.now());

export interface StatusOptions {
  json?: boolean;
  jsonSchema?: boolean;
}

export async function printStatus({ json, jsonSchema }: StatusOptions): Promise<void> {
  if (jsonSchema) {
    const { statusJsonSchema } = await import("../../status/schema.ts");
    return say(JSON.stringify(statusJsonSchema(), undefined, 2));
  }
  const place = {
    dataDir: DATA_DIR,
    configFile: CONFIG_FILE,
    lockFile: LOCK_FILE,
    root: rootPaths(ROOT_DIR, NAME),
    version: VERSION,
  };
  const report = await collectStatus(place, {
    ask: () => askMain(DATA_DIR, answerMs()),
    look: () => readStatistics(DATA_DIR),
  });
  say(json ? JSON.stringify(report, undefined, 2) : renderStatus(report, NAME));
  process.exitCode = EXIT_CODES[report.state];
}
