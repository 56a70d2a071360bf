import { isCode } from "@ivy/files";
import type { MainloopToggle } from "@ivy/lifecycle";
import { CONFIG_FILE, DATA_DIR, LOCK_FILE } from "../../constants.ts";
import { AgentNotRunningError, AgentSilentError, NotOwnerError } from "../../control/errors.ts";
import { exchange } from "../../control/exchange.ts";
import type { LiveStatus } from "../../status/live.ts";
import { secondsToStop } from "../../stop-time.ts";
import { say } from "../say.ts";

/** A main process that takes longer to answer hangs, in milliseconds. */
const ANSWER_MS = 5_000;

/** How long one that hangs has to end before it is killed, in milliseconds. */
const HANGING_MS = 10_000;

/** Whoever waits for longer is told what for, in milliseconds. */
const QUIET_MS = 1_500;

/** Ends the agent; its backend drains meanwhile, but one that hangs is killed soon. */
export async function stop(toggle: MainloopToggle): Promise<void> {
  const [pid] = toggle.getMainloopPids();
  if (pid === undefined) return say("The agent is not running");
  const stopMs = await knownStopMs();
  const timeoutMs = stopMs ?? HANGING_MS;
  const why = stopMs === undefined ? "hangs: it does not answer" : "ends what it does, and sends what waits";
  const until = new Date(Date.now() + timeoutMs).toTimeString().slice(0, "hh:mm:ss".length);
  using _told = setTimeout(
    () =>
      process.stderr.write(
        `The agent with PID ${pid} ${why}; it is killed if it is still there at ${until}\n`,
      ),
    QUIET_MS,
  );
  try {
    await toggle.stopMainloop(timeoutMs);
  } catch (cause) {
    if (isCode(cause, "EPERM")) throw new NotOwnerError(LOCK_FILE, { cause });
    throw cause;
  }
  say(`The agent with PID ${pid} has been stopped`);
}

/** How long the agent may take to end, in milliseconds; `undefined` where it hangs. */
async function knownStopMs(): Promise<number | undefined> {
  const live = await ask();
  if (live === "silent") return undefined;
  return (live?.secondsToStop ?? secondsToStop(await configOnDisk())) * 1_000;
}

/** Nothing comes from a main process that cannot be reached yet, or that is about to end. */
async function ask(): Promise<LiveStatus | "silent" | undefined> {
  try {
    return (await exchange(DATA_DIR, { kind: "status" }, ANSWER_MS)) as LiveStatus;
  } catch (error) {
    if (error instanceof AgentSilentError) return "silent";
    if (error instanceof AgentNotRunningError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function configOnDisk() {
  const [{ ConfigError, loadConfig }, { AgentConfig }] = await Promise.all([
    import("@ivy/types"),
    import("../../agent-config.ts"),
  ]);
  try {
    return loadConfig(CONFIG_FILE, AgentConfig);
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}
