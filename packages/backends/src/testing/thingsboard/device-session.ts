import type { Socket } from "node:net";
import type { IConnectPacket, IPublishPacket, ISubscribePacket } from "mqtt-packet";
import { MqttConnection } from "./mqtt-connection.ts";
import { type ChunkRequest, ChunkSource, type PackageKind } from "./packages.ts";
import { RateLimit } from "./rate-limit.ts";
import type { ServerState } from "./server-state.ts";
import { readTelemetry } from "./telemetry.ts";

/** The server compares filters with these literally. */
const FILTERS = [
  "v1/devices/me/attributes",
  "v1/devices/me/attributes/response/+",
  "v1/devices/me/rpc/request/+",
  "v1/devices/me/rpc/response/+",
  "v2/fw/response/+/chunk/+",
  "v2/fw/error",
  "v2/sw/response/+/chunk/+",
  "v2/sw/error",
];

const REFUSED_FILTER = 0x80;
const BAD_CREDENTIALS = 4;
const UNKNOWN_PROTOCOL = 1;

interface Chunk {
  topic: string;
  data: Buffer;
}

/** One connection of the device, from the server's side. Whatever a session holds ends with it. */
export class DeviceSession {
  readonly #state: ServerState;
  readonly #mqtt: MqttConnection;
  readonly #chunks: ChunkSource;
  readonly #number: number;
  readonly #filters = new Set<string>();
  readonly #messages: RateLimit;
  readonly #telemetryMessages: RateLimit;
  readonly #dataPoints: RateLimit;
  /** Received and not acknowledged. */
  #underWay = 0;
  /** Chunks that were held back, to be sent after the next one. */
  readonly #late: Chunk[] = [];

  constructor(socket: Socket, state: ServerState, number: number) {
    this.#state = state;
    this.#number = number;
    const { limits } = state.options;
    this.#messages = new RateLimit(limits.messages);
    this.#telemetryMessages = new RateLimit(limits.telemetryMessages);
    this.#dataPoints = new RateLimit(limits.telemetryDataPoints);
    this.#chunks = new ChunkSource(state.packages);
    this.#mqtt = new MqttConnection(socket, {
      connect: (packet) => this.#connect(packet),
      subscribe: (packet) => this.#subscribe(packet),
      publish: (packet) => this.#take(packet),
      closed: () => this.#closed(),
    });
  }

  hasSubscribed(filter: string): boolean {
    return this.#filters.has(filter);
  }

  /** Publishes to the device, which has to have subscribed before. */
  publish(filter: string, topic: string, payload: string | Buffer): void {
    if (this.hasSubscribed(filter)) this.#mqtt.publish(topic, payload);
    else this.#state.record({ unheard: topic });
  }

  close(reason: string): void {
    this.#mqtt.close(reason);
  }

  expireChunks(): void {
    this.#chunks.expire();
  }

  #connect({ username, clean, protocolVersion }: IConnectPacket): number {
    if (protocolVersion !== 4) return UNKNOWN_PROTOCOL;
    if (username !== this.#state.options.token) return BAD_CREDENTIALS;
    this.#state.connected(this, clean !== false);
    return 0;
  }

  #subscribe({ subscriptions }: ISubscribePacket): number[] {
    const granted = subscriptions.map(({ topic, qos }) => {
      if (!FILTERS.includes(topic)) return REFUSED_FILTER;
      this.#filters.add(topic);
      return Math.min(qos, 1);
    });
    // After the SUBACK.
    setImmediate(() => this.#state.subscribed(this));
    return granted;
  }

  #closed(): void {
    this.#state.disconnected(this, this.#mqtt.closedBecause);
  }

  #take(packet: IPublishPacket): string | undefined {
    const { limits } = this.#state.options;
    const { acknowledgeAfterMs } = this.#state.faults;
    const payload = Buffer.from(packet.payload);
    // The limit is one of the decoder, which sees the packet without its fixed header.
    const bytes = Buffer.byteLength(packet.topic) + payload.length + 4;
    if (bytes > limits.maxPayloadSize) return `a packet of ${bytes} bytes`;
    if (++this.#underWay > limits.maxInflightMessages) return "too many messages under way";
    if (this.#messages.isBrokenBy(1)) return "too many messages";
    const complaint = this.#process(packet.topic, payload);
    this.#state.emit("change");
    if (complaint !== undefined) return `${packet.topic}: ${complaint}`;
    const acknowledge = () => {
      this.#underWay--;
      this.#mqtt.acknowledge(packet);
    };
    if (acknowledgeAfterMs === undefined) acknowledge();
    else setTimeout(acknowledge, acknowledgeAfterMs).unref();
    return undefined;
  }

  /** What the server closes the connection for. */
  #process(topic: string, payload: Buffer): string | undefined {
    this.#state.record({ publish: { topic, payload } });
    if (topic === "v1/devices/me/telemetry") return this.#takeTelemetry(payload.toString());
    if (topic === "v1/devices/me/attributes") return this.#state.takeClientAttributes(payload.toString());
    const request = /^v1\/devices\/me\/(attributes\/request|rpc\/request|rpc\/response)\/(.*)$/.exec(topic);
    if (request !== null) return this.#takeNumbered(request[1] ?? "", request[2] ?? "", payload.toString());
    const chunk = /^v2\/(fw|sw)\/request\/(\d+)\/chunk\/(\d+)$/.exec(topic);
    if (chunk !== null) {
      const [, kind, requestId = "", number = ""] = chunk;
      return this.#takeChunkRequest(kind as PackageKind, requestId, number, payload.toString());
    }
    // Any other topic is acknowledged, and what is published there is lost.
    this.#state.record({ ignored: topic });
    return undefined;
  }

  #takeTelemetry(payload: string): string | undefined {
    const read = readTelemetry(payload, this.#state.options.typeCast);
    if ("complaint" in read) return read.complaint;
    if (this.#telemetryMessages.isBrokenBy(1)) return "too many messages";
    if (this.#dataPoints.isBrokenBy(read.dataPoints)) return "too many data points";
    if (this.#state.faults.poison?.(payload)) return "poison";
    if (read.lost !== undefined) this.#state.record({ lost: { payload, reason: read.lost } });
    else this.#state.record({ telemetry: read.stored });
    return undefined;
  }

  #takeNumbered(what: string, id: string, payload: string): string | undefined {
    if (!isInt32(id)) return `${id} is not a number of 32 bits`;
    const message = parse(payload);
    if (message === undefined) return "not JSON";
    if (what === "rpc/response") {
      this.#state.takeRpcAnswer(Number(id), message);
      return undefined;
    }
    if (typeof message !== "object" || message === null) return "not an object";
    if (what === "attributes/request") return this.#answerAttributes(id, message as Record<string, unknown>);
    return this.#answerRpc(id, message as Record<string, unknown>);
  }

  #answerAttributes(id: string, request: Record<string, unknown>): string | undefined {
    const keys = (name: string) => (typeof request[name] === "string" ? request[name].split(",") : []);
    if (this.#state.faults.silentAttributes) return undefined;
    const answer = this.#state.attributes(keys("clientKeys"), keys("sharedKeys"));
    this.#answer(`v1/devices/me/attributes/response/+`, id, JSON.stringify(answer));
    return undefined;
  }

  #answerRpc(id: string, { method, params }: Record<string, unknown>): string | undefined {
    if (typeof method !== "string" || params === undefined) return "method and params are missing";
    if (method !== "getSessionLimits" || !this.#state.options.tellsLimits) return undefined;
    const { maxPayloadSize, maxInflightMessages, ...rates } = this.#state.options.limits;
    const rateLimits = Object.keys(rates).length === 0 ? null : rates;
    const answer = { maxPayloadSize, maxInflightMessages, rateLimits };
    this.#answer("v1/devices/me/rpc/response/+", id, JSON.stringify(answer));
    return undefined;
  }

  /** Acknowledges first, then answers. */
  #answer(filter: string, id: string, payload: string): void {
    setImmediate(() => this.publish(filter, filter.replace("+", id), payload));
  }

  #takeChunkRequest(
    kind: PackageKind,
    requestId: string,
    number: string,
    payload: string,
  ): string | undefined {
    if (!isInt32(number)) return `the chunk ${number} is not a number of 32 bits`;
    if (payload !== "" && !isInt32(payload)) return `the size ${payload} is not a number of 32 bits`;
    const size = this.#chunks.sizeFor(requestId, Number(payload));
    const request = { kind, requestId, chunk: Number(number), size, connection: this.#number };
    this.#state.packages.requests.push(request);
    if (size > this.#state.options.limits.maxPayloadSize) this.#refusePackage("PAYLOAD_TOO_LARGE");
    else setImmediate(() => this.#sendChunk(request));
    return undefined;
  }

  #sendChunk(request: ChunkRequest): void {
    const data = this.#chunks.read(request);
    if (typeof data === "string") {
      this.#refusePackage(data);
      return;
    }
    const fault = this.#state.faults.chunk?.(request);
    const topic = `v2/${request.kind}/response/${request.requestId}/chunk/${request.chunk}`;
    const chunk: Chunk = { topic, data: fault === "empty" ? Buffer.alloc(0) : data };
    const copies = { lose: [], twice: [chunk, chunk], late: [], empty: [chunk], none: [chunk] };
    const filter = `v2/${request.kind}/response/+/chunk/+`;
    for (const { topic, data } of copies[fault ?? "none"]) this.publish(filter, topic, data);
    if (fault === "late") this.#late.push(chunk);
    else for (const { topic, data } of this.#late.splice(0)) this.publish(filter, topic, data);
  }

  /** On the topic of firmware, whatever the kind of the package; then the connection is closed. */
  #refusePackage(reason: string): void {
    setImmediate(() => {
      this.publish("v2/fw/error", "v2/fw/error", reason);
      this.close(reason);
    });
  }
}

function parse(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    return undefined;
  }
}

function isInt32(text: string): boolean {
  return /^-?\d{1,10}$/.test(text) && Number(text) <= 2_147_483_647 && Number(text) >= -2_147_483_648;
}
