import { exchange } from "./exchange.ts";
import { ControlAnswer, type ControlRequest } from "./request.ts";

const TIMEOUT_MS = 5_000;

/**
 * Asks the running main process for something.
 *
 * @throws AgentNotRunningError where none runs on that data folder
 * @throws AgentSilentError where it does not answer in time
 * @throws NotOwnerError where it is another user's
 */
export async function askAgent(dataDir: string, request: ControlRequest): Promise<void> {
  const { error } = ControlAnswer.parse(await exchange(dataDir, request, TIMEOUT_MS));
  if (error !== undefined) throw new Error(`The agent has refused: ${error}`);
}
