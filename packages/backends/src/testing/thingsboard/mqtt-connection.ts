import type { Socket } from "node:net";
import mqttPacket, {
  type IConnectPacket,
  type IPublishPacket,
  type ISubscribePacket,
  type Packet,
} from "mqtt-packet";

/** What the server does with the packets of a client. */
export interface MqttHandler {
  /** Returns the code of the CONNACK: 0 lets the client in. */
  connect(packet: IConnectPacket): number;
  /** Returns the code for each filter. */
  subscribe(packet: ISubscribePacket): number[];
  /** Returns why the connection is to be closed, if it is. */
  publish(packet: IPublishPacket): string | undefined;
  closed(): void;
}

/** The server's end of one connection of MQTT 3.1.1, with QoS 1 at most. */
export class MqttConnection {
  readonly #socket: Socket;
  readonly #handler: MqttHandler;
  #connected = false;
  #lastMessageId = 0;
  /** Why the server has closed it. */
  closedBecause: string | undefined;

  constructor(socket: Socket, handler: MqttHandler) {
    this.#socket = socket;
    this.#handler = handler;
    const parser = mqttPacket.parser({ protocolVersion: 4 });
    parser.on("packet", (packet) => this.#take(packet));
    parser.on("error", (error: Error) => this.close(`not MQTT: ${error.message}`));
    socket.on("data", (data) => {
      if (!socket.destroyed) parser.parse(data);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => handler.closed());
    socket.setNoDelay(true);
  }

  /** Closes it as a server does that has something against the client: without a word. */
  close(reason: string): void {
    if (this.#socket.destroyed) return;
    this.closedBecause = reason;
    this.#socket.destroySoon();
    this.#socket.removeAllListeners("data");
    this.#socket.resume();
  }

  acknowledge({ messageId, qos }: IPublishPacket): void {
    if (qos === 1 && messageId !== undefined) this.#send({ cmd: "puback", messageId });
  }

  publish(topic: string, payload: string | Buffer): void {
    this.#lastMessageId = (this.#lastMessageId % 65_535) + 1;
    const messageId = this.#lastMessageId;
    this.#send({ cmd: "publish", topic, payload, qos: 1, messageId, dup: false, retain: false });
  }

  #take(packet: Packet): void {
    if (this.closedBecause !== undefined) return;
    const complaint = this.#handle(packet);
    if (complaint !== undefined) this.close(complaint);
  }

  /** Why the connection is to be closed, if it is. */
  #handle(packet: Packet): string | undefined {
    if (packet.cmd !== "connect" && !this.#connected) return `${packet.cmd} before CONNECT`;
    const messageId = packet.messageId ?? 0;
    switch (packet.cmd) {
      case "connect":
        return this.#connected ? "a second CONNECT" : this.#connect(packet);
      case "publish":
        return packet.qos > 1 ? "QoS 2" : this.#handler.publish(packet);
      case "subscribe":
        this.#send({ cmd: "suback", messageId, granted: this.#handler.subscribe(packet) });
        return undefined;
      case "unsubscribe":
        this.#send({ cmd: "unsuback", messageId, granted: [] });
        return undefined;
      case "pingreq":
        this.#send({ cmd: "pingresp" });
        return undefined;
      case "puback":
        return undefined;
      case "disconnect":
        this.#socket.end();
        return undefined;
      default:
        return `a client does not send ${packet.cmd}`;
    }
  }

  #connect(packet: IConnectPacket): string | undefined {
    const returnCode = this.#handler.connect(packet);
    this.#connected = returnCode === 0;
    // It says that it has kept a session whenever the client asks for one, and has never kept any.
    this.#send({ cmd: "connack", returnCode, sessionPresent: this.#connected && packet.clean === false });
    return this.#connected ? undefined : `CONNACK with code ${returnCode}`;
  }

  #send(packet: Packet): void {
    if (this.#socket.writable) this.#socket.write(mqttPacket.generate(packet));
  }
}
