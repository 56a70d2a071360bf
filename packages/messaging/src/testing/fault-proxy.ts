import { once } from "node:events";
import { createConnection, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./free-port.ts";

/** A proxy on loopback between a client and its broker, that behaves as badly as links do. */
export interface FaultProxy extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** How many connections have been accepted since the beginning. */
  readonly accepted: number;
  /** From now on everything takes this long, in milliseconds, each way. */
  delay(ms: number): void;
  /** Makes the present connections half-open, for good: they stay, and what either side sends vanishes. */
  halfOpen(): void;
  /** From now on connections are accepted and never answered. */
  blackHole(): void;
  /** From now on connections are refused. */
  refuse(): void;
  /** Resets the present connections. */
  reset(): void;
  /** Lets so many more bytes through to the broker and then closes that connection, be it within a packet. */
  cutAfter(bytes: number): void;
  /** From now on connections are passed on, without delay or cut. */
  restore(): Promise<void>;
}

/** One connection: the client's part and the broker's. */
interface Pair {
  client: Socket;
  broker: Socket;
  /** Nothing goes through any longer, neither bytes nor ends. */
  vanishing: boolean;
}

/** Starts a proxy to a port of loopback. */
export async function startFaultProxy(brokerPort: number): Promise<FaultProxy> {
  const pairs = new Set<Pair>();
  let accepted = 0;
  let answering = true;
  let latencyMs = 0;
  let bytesLeft = Number.POSITIVE_INFINITY;

  /** Lets things happen one after another, each after the latency that held when it was asked for. */
  const line = (pair: Pair) => {
    let last = Promise.resolve();
    return (work: () => void) => {
      const due = performance.now() + latencyMs;
      last = last.then(async () => {
        const left = due - performance.now();
        if (left > 0) await sleep(left);
        if (!pair.vanishing) work();
      });
    };
  };
  const carry = (pair: Pair, from: Socket, to: Socket) => {
    const then = line(pair);
    const pass = (bytes: Buffer) => {
      const counted = from === pair.client;
      const passed = counted ? bytes.subarray(0, bytesLeft) : bytes;
      to.write(passed);
      if (counted) bytesLeft -= passed.length;
      if (bytesLeft > 0) return;
      bytesLeft = Number.POSITIVE_INFINITY;
      to.end();
      from.destroy();
    };
    from.setNoDelay(true);
    from.on("data", (bytes: Buffer) => then(() => pass(bytes)));
    from.on("end", () => then(() => to.end()));
    from.on("close", () => then(() => to.destroy()));
    from.on("error", () => undefined);
  };

  const server = createServer({ allowHalfOpen: true }, (client) => {
    accepted++;
    const broker = createConnection({ host: "127.0.0.1", port: brokerPort, allowHalfOpen: true });
    const pair = { client, broker, vanishing: !answering };
    pairs.add(pair);
    carry(pair, client, broker);
    carry(pair, broker, client);
  });
  const listen = async (port: number) => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  };
  const port = await freePort();
  await listen(port);

  return {
    host: "127.0.0.1",
    port,
    get accepted() {
      return accepted;
    },
    delay(ms) {
      latencyMs = ms;
    },
    halfOpen() {
      for (const pair of pairs) pair.vanishing = true;
    },
    blackHole() {
      answering = false;
    },
    refuse() {
      server.close();
    },
    reset() {
      for (const { client, broker } of pairs) {
        client.resetAndDestroy();
        broker.resetAndDestroy();
      }
    },
    cutAfter(bytes) {
      bytesLeft = bytes;
    },
    async restore() {
      answering = true;
      latencyMs = 0;
      bytesLeft = Number.POSITIVE_INFINITY;
      if (!server.listening) await listen(port);
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const { client, broker } of pairs) {
        client.destroy();
        broker.destroy();
      }
    },
  };
}
