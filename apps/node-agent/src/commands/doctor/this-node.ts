import { readStatistics } from "@ivy/messaging";
import { ConfigError, loadConfig } from "@ivy/types";
import { rootPaths } from "@ivy/updater";
import { AgentConfig } from "../../agent-config.ts";
import {
  CONFIG_DIR,
  CONFIG_FILE,
  DATA_DIR,
  GENERATION,
  LOCK_FILE,
  NAME,
  PROJECT_DIR,
  ROOT_DIR,
  VERSION,
} from "../../constants.ts";
import type { Patient } from "../../doctor/check.ts";
import { loginOnce } from "../../doctor/login.ts";
import { realSystem } from "../../doctor/system.ts";
import { collectStatus } from "../../status/collect.ts";
import { askMain } from "../../status/live.ts";

/** A main process that takes longer to answer hangs, in milliseconds. */
const ANSWER_MS = 2_000;

/** The node that this command line belongs to. */
export async function thisNode(): Promise<Patient> {
  const root = rootPaths(ROOT_DIR, NAME);
  const place = { dataDir: DATA_DIR, configFile: CONFIG_FILE, lockFile: LOCK_FILE, root, version: VERSION };
  return {
    projectDir: PROJECT_DIR,
    root: GENERATION === undefined ? PROJECT_DIR : ROOT_DIR,
    configDir: CONFIG_DIR,
    configFile: CONFIG_FILE,
    dataDir: DATA_DIR,
    version: VERSION,
    config: usable(CONFIG_FILE),
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
