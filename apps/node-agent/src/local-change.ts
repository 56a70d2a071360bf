import { readFileSync } from "node:fs";
import { join } from "node:path";
import { watchFile } from "@ivy/files";
import type { StateInterface } from "@ivy/state";
import {
  configDigest,
  type ForeignConfig,
  type HandledConfig,
  loadForeignConfigFromString,
  type State,
} from "@ivy/types";
import { rootPaths, writePendingFile } from "@ivy/updater";
import { CONFIG_FILE, GENERATION, NAME, ROOT_DIR } from "./constants.ts";

/** The watch on a file may miss what happens while it is set up. */
const LOOK_MS = 10_000;

/** A change that does not come from the server as a configuration does: from the command line, or as a package. */
export interface LocalChange {
  config: ForeignConfig;
  /** Path of an archive that holds the version that it asks for. */
  archive?: string | undefined;
  /** A server has assigned the version: it waits for its turn and the maintenance window, as nothing from the command line does. */
  assigned?: boolean;
}

/** A configuration for a version; the commit that it names is that of its own one, so it does not hold for another. */
export function forVersion(config: ForeignConfig, software_version: string): ForeignConfig {
  if (config.general.software_version === software_version) return config;
  const { software_commit: _, ...general } = config.general;
  return { ...config, general: { ...general, software_version } };
}

/**
 * What has become of a configuration for which nothing is to be done: it was rejected, or it is in force. One that was in
 * force before another can be put in force again.
 */
export function outcomeOf(config: ForeignConfig, state: StateInterface): HandledConfig | undefined {
  const known = decisionOn(config, state);
  return known?.outcome === "rejected" || known?.digest === digestInForce() ? known : undefined;
}

function decisionOn(config: ForeignConfig, state: StateInterface): HandledConfig | undefined {
  const digest = configDigest(config);
  const { pending_configs, handled_configs } = state.load();
  // It waits again: what was decided before is of no account.
  if (pending_configs.some((pending) => pending.digest === digest)) return undefined;
  return handled_configs.find((handled) => handled.digest === digest);
}

/** Of what the link names now: this process may have been started by another generation. */
function digestInForce(): string {
  const file = GENERATION === undefined ? CONFIG_FILE : join(rootPaths(ROOT_DIR, NAME).active, "config.json");
  return configDigest(loadForeignConfigFromString(readFileSync(file, "utf8"), file));
}

/** Leaves a change for the main process, as a backend leaves what comes from the server. */
export async function leaveChange(
  { config, archive, assigned }: LocalChange,
  { state, configDir }: { state: StateInterface; configDir: string },
): Promise<void> {
  const digest = configDigest(config);
  const { config_revision, software_version } = config.general;
  await state.update((draft) => {
    const file = writePendingFile(configDir, config, digest);
    draft.pending_configs = draft.pending_configs.filter((pending) => pending.digest !== digest);
    const general = { config_revision, software_version };
    draft.pending_configs.push({
      general,
      digest,
      file,
      local: true,
      ...(assigned ? { assigned } : {}),
      ...(archive ? { archive } : {}),
    });
  });
}

export interface AwaitOptions {
  state: StateInterface;
  dataDir: string;
  signal: AbortSignal;
  /** Called when the change has come a step further. */
  onStep?: (update: NonNullable<State["update"]>) => void;
}

/**
 * Waits for what becomes of a change.
 *
 * @throws the reason of the signal
 */
export async function outcome(config: ForeignConfig, options: AwaitOptions): Promise<HandledConfig> {
  const { state, dataDir, signal, onStep } = options;
  signal.throwIfAborted();
  const ended = new AbortController();
  const found = Promise.withResolvers<HandledConfig>();
  let shown: string | undefined;
  const look = () => {
    const { update } = state.load();
    if (update !== undefined && JSON.stringify(update) !== shown) onStep?.(update);
    shown = JSON.stringify(update);
    const known = decisionOn(config, state);
    if (known !== undefined) found.resolve(known);
  };
  signal.addEventListener("abort", () => found.reject(signal.reason), { once: true, signal: ended.signal });
  watchFile(join(dataDir, "state.json"), ended.signal, look);
  using _look = setInterval(look, LOOK_MS);
  look();
  try {
    return await found.promise;
  } finally {
    ended.abort();
  }
}
