import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { type ControlAnswer, ControlRequest } from "./request.ts";
import { socketIn } from "./socket-path.ts";

/** Nobody has to be waited for longer, in milliseconds: whoever asks is on the same machine. */
const IDLE_MS = 5_000;

export interface ControlOptions {
  dataDir: string;
  /** Does what is asked for, and returns what there is to tell; throws what the asker is told. */
  perform: (request: ControlRequest) => object;
  /** Told where nobody can be listened to, which is no reason not to run. */
  warn: (text: string) => void;
}

/**
 * Listens for requests of the command line on a socket in the data folder, which its owner alone may open. Costs no
 * wake-up while nobody asks. To be called by the holder of the lock: what another one has left there is removed.
 */
export async function listenForControl({ dataDir, perform, warn }: ControlOptions): Promise<AsyncDisposable> {
  const socket = socketIn(dataDir);
  const server = createServer({ allowHalfOpen: true }, (connection) => void answer(connection, perform));
  try {
    rmSync(socket.path, { force: true });
    await listenPrivately(server, socket.path);
  } catch (error) {
    warn(`The command line cannot reach this process: ${(error as Error).message}`);
  }
  return { [Symbol.asyncDispose]: () => close(server).finally(() => socket[Symbol.dispose]()) };
}

/** The socket gets its mode when it is made, within the call. */
async function listenPrivately(server: Server, path: string): Promise<void> {
  const before = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(before);
  }
  await once(server, "listening");
}

async function answer(connection: Socket, perform: ControlOptions["perform"]): Promise<void> {
  connection.setTimeout(IDLE_MS, () => connection.destroy());
  // Whoever has asked and gone is not worth a word.
  connection.on("error", () => connection.destroy());
  connection.end(JSON.stringify(await outcomeOf(connection, perform)));
}

async function outcomeOf(connection: Socket, perform: ControlOptions["perform"]): Promise<object> {
  try {
    return perform(ControlRequest.parse(JSON.parse(await text(connection))));
  } catch (error) {
    return { error: (error as Error).message } satisfies ControlAnswer;
  }
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  server.close();
  await once(server, "close");
}
