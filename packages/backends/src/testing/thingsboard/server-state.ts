import { EventEmitter } from "node:events";
import type { DeviceSession } from "./device-session.ts";
import { type ChunkFault, type ChunkRequest, Packages } from "./packages.ts";
import { parse as parseWritten, type ThingsBoardTelemetry } from "./telemetry.ts";

/** What the server allows on one connection; rates are texts such as `200:1,6000:60`, no limit if left out. */
export interface ThingsBoardLimits {
  /** In bytes; 65,536 if left out. */
  maxPayloadSize?: number;
  /** 100 if left out. */
  maxInflightMessages?: number;
  messages?: string;
  telemetryMessages?: string;
  telemetryDataPoints?: string;
}

export interface ThingsBoardServerOptions {
  /** The access token of the device: its user name; `token` if left out. */
  token?: string;
  limits?: ThingsBoardLimits;
  /** Whether it answers when it is asked for its limits; it does if left out. */
  tellsLimits?: boolean;
  /** Whether it turns texts into numbers and the other way round; it does if left out. */
  typeCast?: boolean;
}

/** What goes wrong at the server; to be changed at any time. */
export interface ThingsBoardFaults {
  /** It closes every new connection at once. */
  down?: boolean;
  /** How long it takes to acknowledge, in milliseconds. */
  acknowledgeAfterMs?: number;
  /** It does not answer when it is asked for attributes. */
  silentAttributes?: boolean;
  /** It closes the connection on telemetry for which this is true. */
  poison?: (payload: string) => boolean;
  chunk?: (request: ChunkRequest) => ChunkFault | undefined;
}

/** A connection of the device. */
export interface ThingsBoardConnection {
  /** The device has not asked for a session. */
  clean: boolean;
  /** Why the server has closed it. */
  closedBecause?: string;
}

/** An answer of the device to a call. */
export interface RpcAnswer {
  id: number;
  answer: unknown;
}

interface Call {
  id: number;
  request: string;
  answered?: (answer: unknown) => void;
}

type Options = Required<ThingsBoardServerOptions> & {
  limits: ThingsBoardLimits & { maxPayloadSize: number; maxInflightMessages: number };
};

/** Something that has happened at the server. */
interface Happening {
  publish?: { topic: string; payload: Buffer };
  telemetry?: ThingsBoardTelemetry[];
  lost?: { payload: string; reason: string };
  ignored?: string;
  unheard?: string;
}

/** What the server knows about its one device, through all its connections. */
export class ServerState extends EventEmitter<{ change: [] }> {
  readonly options: Options;
  readonly faults: ThingsBoardFaults = {};
  readonly packages = new Packages();
  readonly telemetry: ThingsBoardTelemetry[] = [];
  readonly publishes: { topic: string; payload: string }[] = [];
  readonly lost: { payload: string; reason: string }[] = [];
  readonly ignored: string[] = [];
  readonly unheard: string[] = [];
  readonly connections: ThingsBoardConnection[] = [];
  readonly answers: RpcAnswer[] = [];
  readonly clientAttributes: Record<string, unknown> = {};
  readonly shared: Record<string, unknown> = {};
  readonly sessions = new Map<DeviceSession, ThingsBoardConnection>();
  /** Sessions that take calls. */
  readonly #taking = new Set<DeviceSession>();
  /** Calls that are not answered. */
  readonly #calls: Call[] = [];
  #lastCall = -1;

  constructor(options: ThingsBoardServerOptions) {
    super();
    this.options = {
      token: "token",
      tellsLimits: true,
      typeCast: true,
      ...options,
      limits: { maxPayloadSize: 65_536, maxInflightMessages: 100, ...options.limits },
    };
  }

  record({ publish, telemetry, lost, ignored, unheard }: Happening): void {
    if (publish) this.publishes.push({ topic: publish.topic, payload: publish.payload.toString() });
    if (telemetry) this.telemetry.push(...telemetry);
    if (lost) this.lost.push(lost);
    if (ignored !== undefined) this.ignored.push(ignored);
    if (unheard !== undefined) this.unheard.push(unheard);
  }

  connected(session: DeviceSession, clean: boolean): void {
    const connection = { clean };
    this.connections.push(connection);
    this.sessions.set(session, connection);
    this.emit("change");
  }

  disconnected(session: DeviceSession, reason: string | undefined): void {
    const connection = this.sessions.get(session);
    if (connection !== undefined && reason !== undefined) connection.closedBecause = reason;
    this.sessions.delete(session);
    this.#taking.delete(session);
    this.emit("change");
  }

  /** A device that has subscribed gets the calls that it has not answered: those of before, again. */
  subscribed(session: DeviceSession): void {
    if (!session.hasSubscribed("v1/devices/me/rpc/request/+") || this.#taking.has(session)) return;
    this.#taking.add(session);
    for (const call of this.#calls) this.#send(session, call);
  }

  /** Calls the device, now or when it is there. With the number of a call of before, it is that call again. */
  call(request: string, id: number | undefined, answered: (answer: unknown) => void): void {
    this.#lastCall++;
    const call = { id: id ?? this.#lastCall, request, answered };
    this.#calls.push(call);
    for (const session of this.#taking) this.#send(session, call);
  }

  takeRpcAnswer(id: number, answer: unknown): void {
    this.answers.push({ id, answer });
    const index = this.#calls.findIndex((call) => call.id === id);
    const [call] = index < 0 ? [] : this.#calls.splice(index, 1);
    call?.answered?.(answer);
  }

  takeClientAttributes(payload: string): string | undefined {
    let attributes: unknown;
    try {
      parseWritten(payload);
      attributes = JSON.parse(payload);
    } catch {
      return "not JSON";
    }
    if (typeof attributes !== "object" || attributes === null || Array.isArray(attributes))
      return "not an object";
    Object.assign(this.clientAttributes, attributes);
    return undefined;
  }

  /** Parts without any attribute are left out. */
  attributes(clientKeys: string[], sharedKeys: string[]): object {
    const pick = (from: Record<string, unknown>, keys: string[]) => {
      const found = keys.filter((key) => key in from).map((key) => [key, from[key]]);
      return found.length === 0 ? undefined : Object.fromEntries(found);
    };
    return { client: pick(this.clientAttributes, clientKeys), shared: pick(this.shared, sharedKeys) };
  }

  setShared(attributes: Record<string, unknown>): void {
    Object.assign(this.shared, attributes);
    this.#pushAttributes(attributes);
  }

  deleteShared(keys: string[]): void {
    const deleted = keys.filter((key) => key in this.shared);
    if (deleted.length === 0) return;
    for (const key of deleted) delete this.shared[key];
    this.#pushAttributes({ deleted });
  }

  #pushAttributes(message: object): void {
    const topic = "v1/devices/me/attributes";
    for (const session of this.sessions.keys())
      if (session.hasSubscribed(topic)) session.publish(topic, topic, JSON.stringify(message));
  }

  #send(session: DeviceSession, { id, request }: Call): void {
    session.publish("v1/devices/me/rpc/request/+", `v1/devices/me/rpc/request/${id}`, request);
  }
}
