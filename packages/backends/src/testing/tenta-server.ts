import { connectAsync, type MqttClient } from "mqtt";
import {
  complaintAbout,
  type TentaAcknowledgment,
  type TentaKind,
  type TentaLog,
  type TentaMeasurement,
} from "./tenta-contract.ts";

export interface TentaServerOptions {
  broker: { host: string; port: number; username?: string; password?: string };
}

/** Something that arrived at the server and was taken. */
export type TentaArrival = { sensor: string } & (
  | { kind: "measurements"; element: TentaMeasurement }
  | { kind: "logs"; element: TentaLog }
  | { kind: "acknowledgments"; element: TentaAcknowledgment }
);

/** A stand-in for a Tenta server, as strict as that. */
export interface TentaServer extends AsyncDisposable {
  /** What was taken, in the order of its arrival. */
  readonly arrivals: readonly TentaArrival[];
  /** What was dropped, and why; the sender is not told. */
  readonly dropped: readonly { topic: string; payload: string; complaint: string }[];
  /** Every payload as it came. */
  readonly payloads: readonly string[];
  /** Publishes a configuration for a sensor: retained, as the server does. */
  configure(sensor: string, revision: number, configuration: object): Promise<void>;
  /** Publishes anything to the topic of a sensor's configuration. */
  publishRaw(sensor: string, payload: string): Promise<void>;
  /**
   * Resolves once something has arrived that a check takes, earlier arrivals included.
   *
   * @param timeoutMs - rejects after this time, in milliseconds
   */
  until(check: (arrival: TentaArrival) => boolean, timeoutMs?: number): Promise<TentaArrival>;
  /** Resolves once so many messages of a kind have arrived. */
  count(kind: TentaKind, atLeast: number, timeoutMs?: number): Promise<void>;
}

/** Connects a stand-in for a Tenta server to a broker: QoS 1, persistent session. */
export async function startTentaServer({ broker }: TentaServerOptions): Promise<TentaServer> {
  const client = await connectAsync({
    protocol: "mqtt",
    ...broker,
    clientId: "tenta-server",
    clean: false,
    reconnectPeriod: 50,
  });
  const arrivals: TentaArrival[] = [];
  const dropped: { topic: string; payload: string; complaint: string }[] = [];
  const payloads: string[] = [];
  const waiting = new Set<() => void>();

  client.on("error", () => undefined);
  client.on("message", (topic, buffer) => {
    const [kind, sensor = ""] = topic.split("/") as [TentaKind, string];
    const payload = buffer.toString();
    payloads.push(payload);
    const complaint = complaintAbout(kind, payload);
    if (complaint !== undefined) dropped.push({ topic, payload, complaint });
    else for (const element of JSON.parse(payload)) arrivals.push({ kind, sensor, element });
    for (const look of waiting) look();
  });
  await client.subscribeAsync(["measurements/+", "logs/+", "acknowledgments/+"], { qos: 1 });

  const wait = <Result>(find: () => Result | undefined, what: string, timeoutMs: number) =>
    new Promise<Result>((resolve, reject) => {
      const look = () => {
        const found = find();
        if (found === undefined) return;
        clearTimeout(timer);
        waiting.delete(look);
        resolve(found);
      };
      const timer = setTimeout(() => {
        waiting.delete(look);
        reject(
          new Error(
            `${what} within ${timeoutMs} ms; ${arrivals.length} arrived, ${dropped.length} were dropped`,
          ),
        );
      }, timeoutMs);
      waiting.add(look);
      look();
    });

  return {
    arrivals,
    dropped,
    payloads,
    configure: (sensor, revision, configuration) =>
      publish(client, sensor, JSON.stringify({ revision, configuration })),
    publishRaw: (sensor, payload) => publish(client, sensor, payload),
    until: (check, timeoutMs = 20_000) =>
      wait(() => arrivals.find(check), "Nothing that was waited for arrived", timeoutMs),
    async count(kind, atLeast, timeoutMs = 20_000) {
      const reached = () =>
        arrivals.filter((arrival) => arrival.kind === kind).length >= atLeast || undefined;
      await wait(reached, `Fewer than ${atLeast} ${kind} arrived`, timeoutMs);
    },
    async [Symbol.asyncDispose]() {
      await client.endAsync(true);
    },
  };
}

async function publish(client: MqttClient, sensor: string, payload: string): Promise<void> {
  await client.publishAsync(`configurations/${sensor}`, payload, { qos: 1, retain: true });
}
