import { isCode } from "@ivy/files";
import { exchange } from "./exchange.ts";
import { ControlAnswer, type ControlRequest } from "./request.ts";

const TIMEOUT_MS = 5_000;

/** Nobody listens: the agent is not running. */
export class AgentNotRunningError extends Error {
  readonly code = "IVY_NOT_RUNNING";
  override readonly name = "AgentNotRunningError";

  constructor(dataDir: string, options?: ErrorOptions) {
    super(`No agent is running on ${dataDir}; start it first`, options);
  }
}

/**
 * Asks the running main process for something.
 *
 * @throws AgentNotRunningError where none runs on that data folder
 */
export async function askAgent(dataDir: string, request: ControlRequest): Promise<void> {
  const { error } = ControlAnswer.parse(await answerTo(dataDir, request));
  if (error !== undefined) throw new Error(`The agent has refused: ${error}`);
}

async function answerTo(dataDir: string, request: ControlRequest): Promise<unknown> {
  try {
    return await exchange(dataDir, request, TIMEOUT_MS);
  } catch (error) {
    if (isCode(error, "ENOENT", "ECONNREFUSED")) throw new AgentNotRunningError(dataDir, { cause: error });
    if (isCode(error, "ABORT_ERR"))
      throw new Error(`The agent runs, but has not answered within ${TIMEOUT_MS / 1_000} s`, {
        cause: error,
      });
    throw error;
  }
}
