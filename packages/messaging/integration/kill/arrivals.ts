import { connectAsync } from "mqtt";

/** A publish of the forwarder. */
export interface Sent {
  /** Which one of all connections of all its lives. */
  connection: string;
  publish: number;
  messages: { identifier: number; writer: string; number: number }[];
}

/** What has arrived behind the broker. */
export interface Arrivals extends AsyncDisposable {
  /** Numbers of a writer, each once, in the order of their first arrival. */
  of(writer: string): number[];
  has(writer: string, number: number): boolean;
  /** How many messages came again over each connection. */
  readonly repeated: ReadonlyMap<string, number>;
  /** Messages of which two identifiers were seen, and identifiers of two messages. */
  readonly mistaken: string[];
}

/** Subscribes, with a persistent session, to all that is sent. */
export async function listenToArrivals(port: number): Promise<Arrivals> {
  const client = await connectAsync({
    protocol: "mqtt",
    host: "127.0.0.1",
    port,
    clientId: "listener",
    clean: false,
    reconnectPeriod: 20,
  });
  client.on("error", () => undefined);
  const publishes = new Set<string>();
  const identifiers = new Map<string, number>();
  const keys = new Map<number, string>();
  const numbers = new Map<string, number[]>();
  const repeated = new Map<string, number>();
  const mistaken: string[] = [];

  const listOf = (writer: string) => {
    const list = numbers.get(writer) ?? [];
    numbers.set(writer, list);
    return list;
  };
  const take = ({ connection, publish, messages }: Sent) => {
    // The broker itself repeats to us what we had not acknowledged when it was restarted.
    const name = `${connection}/${publish}`;
    if (publishes.has(name)) return;
    publishes.add(name);
    for (const { identifier, writer, number } of messages) {
      const key = `${writer}:${number}`;
      const before = identifiers.get(key);
      if (before !== undefined) repeated.set(connection, (repeated.get(connection) ?? 0) + 1);
      else listOf(writer).push(number);
      if ((before ?? identifier) !== identifier)
        mistaken.push(`${key} came as ${before} and as ${identifier}`);
      const other = keys.get(identifier) ?? key;
      if (other !== key) mistaken.push(`${identifier} is ${other} and ${key}`);
      identifiers.set(key, identifier);
      keys.set(identifier, key);
    }
  };
  client.on("message", (_topic, payload) => take(JSON.parse(payload.toString())));
  await client.subscribeAsync("numbers", { qos: 1 });
  return {
    of: listOf,
    has: (writer, number) => identifiers.has(`${writer}:${number}`),
    repeated,
    mistaken,
    [Symbol.asyncDispose]: () => client.endAsync(true),
  };
}
