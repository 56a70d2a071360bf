import { readStatistics } from "@ivy/messaging";
import { ConfigError, loadConfig } from "@ivy/types";
import { rootPaths } from "@ivy/updater";
import { AgentConfig } from "../../agent-config.ts";
import { CONFIG_DIR, DATA_DIR, LOCK_FILE, NAME, PROJECT_DIR, ROOT_DIR, VERSION } from "../../constants.ts";
import type { Patient } from "../../doctor/check.ts";
import { loginOnce } from "../../doctor/login.ts";
import { realSystem } from "../../doctor/system.ts";
import { collectStatus } from "../../status/collect.ts";
import { askMain } from "../../status/live.ts";
import { configInForce } from "../config-in-force.ts";

/** A main process that takes longer to answer hangs, in milliseconds. */
const ANSWER_MS = 2_000;

/** The node that this command line belongs to. */
export async function thisNode(): Promise<Patient> {
  const root = rootPaths(ROOT_DIR, NAME);
  const isDeployed = process.env["IVY_GENERATION"] !== undefined;
  const configFile = configInForce();
  const place = { dataDir: DATA_DIR, configFile, lockFile: LOCK_FILE, root, version: VERSION };
  return {
    projectDir: PROJECT_DIR,
    root: isDeployed ? ROOT_DIR : PROJECT_DIR,
    configDir: isDeployed ? root.config : CONFIG_DIR,
    configFile,
    dataDir: DATA_DIR,
    version: VERSION,
    config: usable(configFile),
    status: await collectStatus(place, {
      ask: () => askMain(DATA_DIR, ANSWER_MS),
      look: () => readStatistics(DATA_DIR),
    }),
    system: realSystem,
    tryLogin: loginOnce(),
  };
}

function usable(configFile: string): AgentConfig | undefined {
  try {
    return loadConfig(configFile, AgentConfig);
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}
