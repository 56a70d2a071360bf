import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** What a broker does with a publish: acknowledge it, say nothing, or close the connection. */
export type Answer = "acknowledge" | "ignore" | "close";

export interface Script {
  /** Closes the connection right after it has welcomed the client. */
  closesAtOnce?: boolean;
  /** What it answers to a subscription; it says nothing if null. */
  subscribeCode?: number | null;
  publish?: (payload: string) => Answer;
  /** Resets the connection when the client takes its leave. */
  resetsAtTheEnd?: boolean;
}

export interface ScriptedBroker {
  port: number;
  /** Connections that have been made so far. */
  connections: number;
  /** Payloads of the publishes that it has seen, whatever became of them. */
  seen: string[];
  /** Payloads that it has acknowledged. */
  taken: string[];
  /** Publishes to everybody who is connected, with QoS 1. */
  publish(topic: string, payload: string): void;
}

const CONNECT = 1;
const PUBLISH = 3;
const SUBSCRIBE = 8;
const DISCONNECT = 14;

/** A broker that behaves as no real one would, or only sometimes. It speaks as much of MQTT 3.1.1 as that takes. */
export async function scriptedBroker(script: Script): Promise<ScriptedBroker> {
  const {
    closesAtOnce = false,
    subscribeCode = 1,
    publish = () => "acknowledge",
    resetsAtTheEnd = false,
  } = script;
  const sockets = new Set<Socket>();
  const answer = (socket: Socket, kind: number, body: Buffer) => {
    if (kind === CONNECT) {
      socket.write(Buffer.from([0x20, 2, 0, 0]));
      if (closesAtOnce) socket.end();
    }
    if (kind === SUBSCRIBE && subscribeCode !== null)
      socket.write(Buffer.from([0x90, 3, ...body.subarray(0, 2), subscribeCode]));
    if (kind === DISCONNECT && resetsAtTheEnd) socket.resetAndDestroy();
    if (kind !== PUBLISH) return;
    const { id, payload } = readPublish(body);
    broker.seen.push(payload);
    const verdict = publish(payload);
    if (verdict === "close") socket.end();
    if (verdict !== "acknowledge") return;
    broker.taken.push(payload);
    socket.write(Buffer.from([0x40, 2, ...id]));
  };
  const server = createServer((socket) => {
    broker.connections++;
    sockets.add(socket);
    readPackets(socket, (kind, body) => answer(socket, kind, body));
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const broker: ScriptedBroker = {
    port: (server.address() as AddressInfo).port,
    connections: 0,
    seen: [],
    taken: [],
    publish(topic, payload) {
      const body = Buffer.from([0, topic.length, ...Buffer.from(topic), 0, 1, ...Buffer.from(payload)]);
      for (const socket of sockets) socket.write(Buffer.from([0x32, body.length, ...body]));
    },
  };
  return broker;
}

/** Calls back with the kind and the body of every packet, until the connection has ended. */
function readPackets(socket: Socket, found: (kind: number, body: Buffer) => void): void {
  let pending = Buffer.alloc(0);
  socket.on("data", (bytes) => {
    pending = Buffer.concat([pending, bytes]);
    for (let packet = firstPacket(pending); packet !== undefined; packet = firstPacket(pending)) {
      pending = pending.subarray(packet.end);
      if (!socket.writableEnded) found(packet.kind, packet.body);
    }
  });
}

/** The first packet in some bytes, if it is complete. Its length is given seven bits a byte, lowest first. */
function firstPacket(bytes: Buffer): { kind: number; body: Buffer; end: number } | undefined {
  let length = 0;
  for (let index = 1; ; index++) {
    const byte = bytes[index];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) << (7 * (index - 1));
    if (byte >= 0x80) continue;
    const begin = index + 1;
    const end = begin + length;
    return bytes.length < end
      ? undefined
      : { kind: (bytes[0] ?? 0) >> 4, body: bytes.subarray(begin, end), end };
  }
}

function readPublish(body: Buffer): { id: Buffer; payload: string } {
  const topicEnd = 2 + body.readUInt16BE(0);
  return { id: body.subarray(topicEnd, topicEnd + 2), payload: body.subarray(topicEnd + 2).toString() };
}
