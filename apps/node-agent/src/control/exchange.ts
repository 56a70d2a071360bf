import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { isCode } from "@ivy/files";
import { AgentNotRunningError, AgentSilentError, NotOwnerError } from "./errors.ts";
import type { ControlRequest } from "./request.ts";
import { SOCKET_NAME, socketIn } from "./socket-path.ts";

/**
 * Sends a request to the running main process.
 *
 * @param timeoutMs - how long the answer may take, in milliseconds; not counted is the time in which this process is
 *   busy itself and cannot send anything yet
 * @returns the answer, as it came
 * @throws AgentNotRunningError where nobody listens
 * @throws AgentSilentError where nothing comes in time
 * @throws NotOwnerError where the process is another user's
 */
export async function exchange(
  dataDir: string,
  request: ControlRequest,
  timeoutMs: number,
): Promise<unknown> {
  try {
    return await answerTo(dataDir, request, timeoutMs);
  } catch (cause) {
    if (isCode(cause, "ENOENT", "ECONNREFUSED")) throw new AgentNotRunningError(dataDir, { cause });
    // The latter where more wait for an answer already than the kernel holds.
    if (isCode(cause, "ABORT_ERR", "EAGAIN")) throw new AgentSilentError(timeoutMs, { cause });
    if (isCode(cause, "EACCES", "EPERM")) throw new NotOwnerError(join(dataDir, SOCKET_NAME), { cause });
    throw cause;
  }
}

async function answerTo(dataDir: string, request: ControlRequest, timeoutMs: number): Promise<unknown> {
  using socket = socketIn(dataDir);
  const late = new AbortController();
  const connection = connect({ path: socket.path, signal: late.signal });
  await once(connection, "connect");
  const timeout = setTimeout(() => late.abort(), timeoutMs);
  try {
    connection.end(JSON.stringify(request));
    return await json(connection);
  } finally {
    clearTimeout(timeout);
    connection.destroy();
  }
}
