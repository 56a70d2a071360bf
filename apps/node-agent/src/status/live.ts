import { closeSync, constants, openSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import type { ProcessStatus, Variant } from "@ivy/lifecycle";

/** What only the main process knows, as it tells whoever asks. Times are on the system's monotonic clock. */
export interface LiveStatus {
  version: string;
  revision: number;
  startedAt: number;
  safeMode: boolean;
  processes: Record<string, LiveProcess>;
}

export type LiveProcess = Pick<
  ProcessStatus,
  "state" | "pid" | "restarts" | "startedAt" | "link" | "progress" | "dueInMs" | "crashLoop" | "lastError"
> & { variant: Variant };

const SOCKET = "status.sock";

/**
 * Tells everybody who connects to a socket in the data folder, which its owner alone may, how the agent fares. It
 * costs nothing while nobody asks.
 *
 * @param warn - told why it cannot be served: then `status` does with what else can be seen
 */
export function serveLiveStatus(
  dataDir: string,
  read: () => LiveStatus,
  warn: (text: string) => void,
): Disposable {
  rmSync(join(dataDir, SOCKET), { force: true });
  const folder = openFolder(dataDir);
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.end(JSON.stringify(read()));
  });
  server.on("error", (error) => warn(`The status cannot be served: ${error.message}`));
  server.listen(socketIn(folder)).unref();
  return { [Symbol.dispose]: () => close(server, folder) };
}

/**
 * Asks the main process how it fares.
 *
 * @param timeoutMs - how long it may take, in milliseconds
 * @returns `undefined` where it does not answer
 */
export async function askMain(dataDir: string, timeoutMs: number): Promise<LiveStatus | undefined> {
  const folder = openFolder(dataDir);
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  // An answer that has come while this process was busy itself is taken first.
  const timeout = setTimeout(() => setImmediate(resolve, undefined), timeoutMs);
  const socket = connect(socketIn(folder)).setEncoding("utf8");
  let answer = "";
  socket.on("data", (text) => (answer += text));
  socket.once("end", () => resolve(answer)).once("error", () => resolve(undefined));
  const whole = await promise;
  clearTimeout(timeout);
  socket.destroy();
  closeSync(folder);
  return whole === undefined ? undefined : (JSON.parse(whole) as LiveStatus);
}

/** The path of a socket may have 107 bytes only: by way of the open folder, every data folder will do. */
function socketIn(folder: number): string {
  return `/proc/self/fd/${folder}/${SOCKET}`;
}

function openFolder(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
}

function close(server: Server, folder: number): void {
  // It takes the socket away, for which the folder has to be open.
  server.close(() => undefined);
  closeSync(folder);
}
