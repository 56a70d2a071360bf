import { closeSync, openSync } from "node:fs";

/** Of the socket, below the data folder. */
export const SOCKET_NAME = "control.sock";

/** Where the main process listens, as long as this is in use. */
export interface SocketPath extends Disposable {
  path: string;
}

/**
 * The socket in a data folder, named by way of a descriptor of that folder: the kernel takes 107 bytes for the path of
 * a socket, and data folders lie deep.
 */
export function socketIn(dataDir: string): SocketPath {
  const descriptor = openSync(dataDir, "r");
  return {
    path: `/proc/self/fd/${descriptor}/${SOCKET_NAME}`,
    [Symbol.dispose]: () => closeSync(descriptor),
  };
}
