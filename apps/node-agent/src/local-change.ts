import { join } from "node:path";
import { watchFile } from "@ivy/files";
import type { StateInterface } from "@ivy/state";
import { configDigest, type ForeignConfig, type HandledConfig, type State } from "@ivy/types";
import { writePendingFile } from "@ivy/updater";

/** The watch on a file may miss what happens while it is set up. */
const LOOK_MS = 1_000;

/** A change that does not come from the server as a configuration does: from the command line, or as a package. */
export interface LocalChange {
  config: ForeignConfig;
  /** Path of an archive that holds the version that it asks for. */
  archive?: string | undefined;
}

/** What has become of a configuration, if it is known. */
export function outcomeOf(config: ForeignConfig, state: StateInterface): HandledConfig | undefined {
  const digest = configDigest(config);
  return state.load().handled_configs.find((handled) => handled.digest === digest);
}

/** Leaves a change for the main process, as a backend leaves what comes from the server. */
export async function leaveChange(
  { config, archive }: LocalChange,
  { state, configDir }: { state: StateInterface; configDir: string },
): Promise<void> {
  const digest = configDigest(config);
  const { config_revision, software_version } = config.general;
  await state.update((draft) => {
    const file = writePendingFile(configDir, config, digest);
    draft.pending_configs = draft.pending_configs.filter((pending) => pending.digest !== digest);
    const general = { config_revision, software_version };
    draft.pending_configs.push({ general, digest, file, local: true, ...(archive ? { archive } : {}) });
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
    const known = outcomeOf(config, state);
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
