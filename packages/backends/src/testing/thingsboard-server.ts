import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { DeviceSession } from "./thingsboard/device-session.ts";
import {
  type ChunkRequest,
  type PackageAssignment,
  type PackageKind,
  packageAttributes,
  packageKeys,
} from "./thingsboard/packages.ts";
import {
  type RpcAnswer,
  ServerState,
  type ThingsBoardConnection,
  type ThingsBoardFaults,
  type ThingsBoardServerOptions,
} from "./thingsboard/server-state.ts";
import type { ThingsBoardTelemetry } from "./thingsboard/telemetry.ts";

export interface RpcOptions {
  /** The number of the call, to repeat one of before; a new one if left out. */
  id?: number;
  /** Rejects after this time, in milliseconds; 20,000 if left out. */
  timeoutMs?: number;
}

/** A stand-in for a ThingsBoard server with one device, as strict as that. */
export interface ThingsBoardServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** What was stored, in the order of its arrival. */
  readonly telemetry: readonly ThingsBoardTelemetry[];
  /** What was acknowledged and then lost, because the server could not save it. */
  readonly lost: readonly { payload: string; reason: string }[];
  /** Everything that the device has published, as it came. */
  readonly publishes: readonly { topic: string; payload: string }[];
  /** Topics that mean nothing to the server: what is published there is acknowledged and lost. */
  readonly ignored: readonly string[];
  /** What the server would have sent, had the device subscribed to it. */
  readonly unheard: readonly string[];
  /** The device's connections, oldest first. */
  readonly connections: readonly ThingsBoardConnection[];
  readonly clientAttributes: Readonly<Record<string, unknown>>;
  /** The device's answers to calls, in the order of their arrival. */
  readonly answers: readonly RpcAnswer[];
  /** The device's requests for chunks of packages. */
  readonly chunkRequests: readonly ChunkRequest[];
  /** To be changed at any time. */
  readonly faults: ThingsBoardFaults;
  /** Sets shared attributes, and tells the device if it is there. */
  setShared(attributes: Record<string, unknown>): void;
  deleteShared(keys: string[]): void;
  /** Calls the device, now or when it is there, again at every reconnect; resolves with the answer. */
  rpc(method: string, params?: unknown, options?: RpcOptions): Promise<unknown>;
  /** Assigns a package to the device, and tells it if it is there. */
  assignPackage(assignment: PackageAssignment): void;
  unassignPackage(kind: PackageKind): void;
  /** The cache forgets the packages that are being downloaded. */
  expirePackages(): void;
  /** The values of a key, in the order of their arrival. */
  valuesOf(key: string): unknown[];
  /** Closes all connections. */
  kick(): void;
  /**
   * Resolves with what a function finds, as soon as it finds something.
   *
   * @param timeoutMs - rejects after this time, in milliseconds
   */
  until<Result>(find: () => Result | undefined | false, timeoutMs?: number): Promise<Result>;
}

/** Starts a stand-in for a ThingsBoard server on a free port of loopback: an MQTT server of its own. */
export async function startThingsBoardServer(
  options: ThingsBoardServerOptions = {},
): Promise<ThingsBoardServer> {
  const state = new ServerState(options);
  const server = createServer((socket) => {
    if (state.faults.down) socket.destroy();
    else new DeviceSession(socket, state, state.connections.length);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const kick = () => {
    for (const session of state.sessions.keys()) session.close("kicked");
  };
  const { telemetry, lost, publishes, ignored, unheard, connections, clientAttributes, answers, faults } =
    state;
  return {
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    telemetry,
    lost,
    publishes,
    ignored,
    unheard,
    connections,
    clientAttributes,
    answers,
    faults,
    chunkRequests: state.packages.requests,
    setShared: (attributes) => state.setShared(attributes),
    deleteShared: (keys) => state.deleteShared(keys),
    rpc: (method, params = {}, { id, timeoutMs = 20_000 } = {}) =>
      new Promise((resolve, reject) => {
        const late = () => reject(new Error(`${method} was not answered within ${timeoutMs} ms`));
        const timer = setTimeout(late, timeoutMs);
        state.call(JSON.stringify({ method, params }), id, (answer) => {
          clearTimeout(timer);
          resolve(answer);
        });
      }),
    assignPackage(assignment) {
      state.packages.assign(assignment);
      const attributes = packageAttributes(assignment);
      state.deleteShared(packageKeys(assignment.kind).filter((key) => !(key in attributes)));
      state.setShared(attributes);
    },
    unassignPackage(kind) {
      state.packages.unassign(kind);
      state.deleteShared(packageKeys(kind));
    },
    expirePackages() {
      for (const session of state.sessions.keys()) session.expireChunks();
    },
    valuesOf: (key) => telemetry.filter(({ values }) => key in values).map(({ values }) => values[key]),
    kick,
    until: (find, timeoutMs = 20_000) => waitFor(state, find, timeoutMs),
    async [Symbol.asyncDispose]() {
      server.close();
      kick();
      await once(server, "close");
    },
  };
}

function waitFor<Result>(
  state: ServerState,
  find: () => Result | undefined | false,
  timeoutMs: number,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const found = find();
      if (found === undefined || found === false) return;
      clearTimeout(timer);
      state.off("change", look);
      resolve(found);
    };
    const timer = setTimeout(() => {
      state.off("change", look);
      const connections = state.connections.map(({ closedBecause }) => closedBecause ?? "open").join("; ");
      const seen = `${state.telemetry.length} telemetry entries; connections: ${connections}`;
      reject(new Error(`What was waited for has not happened within ${timeoutMs} ms: ${seen}`));
    }, timeoutMs);
    state.on("change", look);
    look();
  });
}
