import { once } from "node:events";
import { connect } from "node:net";
import { json } from "node:stream/consumers";
import type { ControlRequest } from "./request.ts";
import { socketIn } from "./socket-path.ts";

/**
 * Sends a request to the running main process.
 *
 * @param timeoutMs - how long the answer may take, in milliseconds; not counted is the time in which this process is
 *   busy itself and cannot send anything yet
 * @returns the answer, as it came
 * @throws ENOENT or ECONNREFUSED where nobody listens, ABORT_ERR where nothing comes in time
 */
export async function exchange(
  dataDir: string,
  request: ControlRequest,
  timeoutMs: number,
): Promise<unknown> {
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
