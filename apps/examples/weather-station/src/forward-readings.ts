import { readFileSync } from "node:fs";
import { type BrokerConnection, forward, type ServerProtocol } from "@ivy/messaging/forwarder";
import type { Options } from "./options.ts";
import type { Reading, Readings } from "./reading.ts";

/** How long readings may still be sent after the end has been asked for, in seconds. */
const DRAIN_SECONDS = 5;

/** Each reading is a publish of its own, on the topic of its station; nothing comes back. */
const protocol: ServerProtocol<Reading> = {
  subscriptions: [],
  map: (messages) => ({
    publishes: messages.map(({ identifier, message_body: { station, ...measured } }) => ({
      topic: `weather/${station}`,
      payload: JSON.stringify(measured),
      identifiers: [identifier],
    })),
    settled: [],
    refused: [],
  }),
  receive: () => undefined,
};

/** Sends readings to the broker as they come, until the signal aborts; each leaves the queue once the broker has it. */
export async function forwardReadings(
  readings: Readings,
  options: Options,
  signal: AbortSignal,
): Promise<void> {
  const say = (text: string) => console.error(text);
  await forward({
    agent: readings,
    protocol,
    broker: brokerOf(options),
    maxParallelMessages: 50,
    logger: { debug: () => undefined, info: say, warning: say, error: say },
    teardown: signal,
    drainSeconds: () => DRAIN_SECONDS,
  });
}

function brokerOf({ host, port, station, username, ca }: Options): BrokerConnection {
  return {
    host,
    port,
    clientId: `weather-station-${station}`,
    username,
    password: process.env["STATION_PASSWORD"],
    tls: ca === undefined ? undefined : { ca: readFileSync(ca) },
  };
}
