import { join } from "node:path";
import { lockHolder, watchFile } from "@ivy/files";
import { StateInterface } from "@ivy/state";
import { configDigest, type ForeignConfig, type HandledConfig, type State } from "@ivy/types";
import { writePendingFile } from "@ivy/updater";
import { CONFIG_DIR, DATA_DIR, LOCK_FILE } from "../constants.ts";
import { say } from "./say.ts";

/** Exit code where the agent is not running, as that of `is-running`. */
const NOT_RUNNING = 3;

/**
 * Leaves a configuration for the agent as a server does, shows how far the change is, and waits for what becomes of it.
 *
 * @param archive - holds the version that it asks for
 */
export async function submitChange(config: ForeignConfig, archive?: string): Promise<void> {
  const state = new StateInterface({ dataDir: DATA_DIR });
  const digest = configDigest(config);
  const file = writePendingFile(CONFIG_DIR, config, digest);
  await state.update((draft) => {
    // Whoever stands before the node may try again what was rejected before.
    draft.handled_configs = draft.handled_configs.filter((handled) => handled.digest !== digest);
    draft.pending_configs = draft.pending_configs.filter((pending) => pending.digest !== digest);
    const { config_revision, software_version } = config.general;
    const general = { config_revision, software_version };
    draft.pending_configs.push({ general, digest, file, local: true, ...(archive ? { archive } : {}) });
  });
  if (lockHolder(LOCK_FILE) === undefined) {
    say("The agent is not running: it performs the change when it is started next");
    process.exitCode = NOT_RUNNING;
    return;
  }
  const { outcome, reason } = await handled(state, digest);
  say(outcome === "accepted" ? "The change is in force and has proven itself" : `Rejected: ${reason}`);
  process.exitCode = outcome === "accepted" ? 0 : 1;
}

async function handled(state: StateInterface, digest: string): Promise<HandledConfig> {
  const ended = new AbortController();
  const found = Promise.withResolvers<HandledConfig>();
  let shown: string | undefined;
  const look = () => {
    const { handled_configs, update } = state.load();
    const step = describe(update);
    if (step !== undefined && step !== shown) say(step);
    shown = step;
    const one = handled_configs.find((handled) => handled.digest === digest);
    if (one !== undefined) found.resolve(one);
  };
  watchFile(join(DATA_DIR, "state.json"), ended.signal, look);
  // The watch alone does not keep this process alive.
  using _alive = setInterval(look, 1_000);
  look();
  try {
    return await found.promise;
  } finally {
    ended.abort();
  }
}

function describe(update: State["update"]): string | undefined {
  return update && `${update.step}: ${update.text}`;
}
