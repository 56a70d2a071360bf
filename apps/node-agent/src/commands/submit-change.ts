import { lockHolder } from "@ivy/files";
import { StateInterface } from "@ivy/state";
import { CONFIG_DIR, DATA_DIR, LOCK_FILE } from "../constants.ts";
import { type LocalChange, leaveChange, outcome, outcomeOf } from "../local-change.ts";
import { say } from "./say.ts";

/** Exit code where the agent is not running, as that of `is-running`. */
const NOT_RUNNING = 3;

/**
 * Leaves a change for the agent, shows how far it is, and waits for what becomes of it. One that was rejected
 * before is not tried again.
 */
export async function submitChange(change: LocalChange): Promise<void> {
  const state = new StateInterface({ dataDir: DATA_DIR });
  if (outcomeOf(change.config, state) === undefined)
    await leaveChange(change, { state, configDir: CONFIG_DIR });
  if (outcomeOf(change.config, state) === undefined && lockHolder(LOCK_FILE) === undefined) {
    say("The agent is not running: it performs the change when it is started next");
    process.exitCode = NOT_RUNNING;
    return;
  }
  const { outcome: decision, reason } = await outcome(change.config, {
    state,
    dataDir: DATA_DIR,
    signal: new AbortController().signal,
    onStep: ({ step, text }) => say(`${step}: ${text}`),
  });
  say(decision === "accepted" ? "The change is in force and has proven itself" : `Rejected: ${reason}`);
  process.exitCode = decision === "accepted" ? 0 : 1;
}
