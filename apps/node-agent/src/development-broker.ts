import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { Aedes } from "aedes";

/** A client that has said nothing for this long is let go, for it would keep this process alive; in milliseconds. */
const SILENT_MS = 2_000;

/** A broker for trying things out: on loopback, in memory, without authentication. */
export interface DevelopmentBroker extends AsyncDisposable {
  port: number;
}

/**
 * Starts a broker on a free loopback port.
 *
 * @param received - called for every message that a client has published
 */
export async function startDevelopmentBroker(
  received: (topic: string, payload: string) => void,
): Promise<DevelopmentBroker> {
  const broker = await Aedes.createBroker({ connectTimeout: SILENT_MS });
  broker.on("publish", (packet, client) => {
    if (client !== null) received(packet.topic, packet.payload.toString());
  });
  const server = createServer(broker.handle);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      await new Promise<void>((closed) => broker.close(closed));
      server.close();
    },
  };
}
