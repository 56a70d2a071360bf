import type { Rate, ServerLimits } from "@ivy/messaging/forwarder";
import * as z from "zod/mini";
import type { TelemetryLimits } from "../thingsboard-protocol.ts";

/** What a server that does not tell its limits allows, as its configuration file comes. */
const USUAL_PAYLOAD_BYTES = 65_536;
const USUAL_UNDER_WAY = 100;

/** The largest payload is that of a whole packet: topic and packet identifier are in it. */
const PACKET_OVERHEAD = 128;

/** The part of a rate that the queue is given: values that travel beside it are not counted. */
const SHARE = 0.9;

/** How much longer the time is in which the server counts than it says: what was late comes closer to what was not. */
const STRETCH = 1.25;

const RateText = z.optional(z.nullable(z.string()));

const SessionLimits = z.object({
  maxPayloadSize: z.optional(z.nullable(z.int().check(z.minimum(1)))),
  maxInflightMessages: z.optional(z.nullable(z.int().check(z.minimum(1)))),
  rateLimits: z.optional(
    z.nullable(z.object({ messages: RateText, telemetryMessages: RateText, telemetryDataPoints: RateText })),
  ),
});

/** What a server allows on one connection. */
export interface Limits {
  telemetry: TelemetryLimits;
  server: ServerLimits;
}

/** @param answer - that of the server, if it has answered; what it leaves open is as usual */
export function readLimits(answer?: Buffer): Limits {
  const told = (answer === undefined ? undefined : parse(answer)) ?? {};
  const { messages, telemetryMessages, telemetryDataPoints } = told.rateLimits ?? {};
  const dataPoints = ratesOf(telemetryDataPoints);
  const fewest = Math.min(...dataPoints.map(({ count }) => count));
  return {
    telemetry: {
      payloadBytes: (told.maxPayloadSize ?? USUAL_PAYLOAD_BYTES) - PACKET_OVERHEAD,
      ...(dataPoints.length === 0 ? {} : { dataPoints: fewest }),
    },
    server: {
      publishesUnderWay: told.maxInflightMessages ?? USUAL_UNDER_WAY,
      publishes: [...ratesOf(messages), ...ratesOf(telemetryMessages)],
      dataPoints,
    },
  };
}

/** Reads rates such as `200:1,6000:60`: so many in so many seconds. Empty where nothing is limited. */
function ratesOf(text: string | null | undefined): Rate[] {
  return (text ?? "").split(",").flatMap((part) => {
    const [, count, seconds] = /^\s*(\d+):(\d+)\s*$/.exec(part) ?? [];
    if (!(Number(count) > 0 && Number(seconds) > 0)) return [];
    return [{ count: Math.max(1, Math.floor(Number(count) * SHARE)), seconds: Number(seconds) * STRETCH }];
  });
}

function parse(answer: Buffer): z.infer<typeof SessionLimits> | undefined {
  try {
    return SessionLimits.safeParse(JSON.parse(answer.toString())).data;
  } catch {
    return undefined;
  }
}
