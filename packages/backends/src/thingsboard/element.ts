import type { ConfigMessageBody, DataMessageBody, LogMessageBody, MessageQueueItem } from "@ivy/types";
import type { TelemetryLimits } from "../thingsboard-protocol.ts";
import { longestThatFits } from "./cut.ts";
import { carriedValue } from "./value.ts";

/** One element of an array of telemetry. */
export interface Element {
  json: string;
  bytes: number;
  /** Values in it. */
  dataPoints: number;
}

/** What becomes of one message: sent, set aside with a reason, or sent in part. */
export interface Mapped {
  element?: Element;
  refused?: string;
}

type Values = Record<string, unknown>;

/** The brackets around an element that is alone in its array, and the comma that a batch counts. */
const AROUND = 3;

/** How much of a key that cannot be carried is shown, in characters. */
const SHOWN_OF_KEY = 64;

export function asElement(message: MessageQueueItem, limits: TelemetryLimits): Mapped {
  const ts = Math.round(message.timestamp * 1_000);
  const { message_body: body } = message;
  const largest = limits.payloadBytes - AROUND;
  switch (body.variant) {
    case "data":
      return dataElement(body, ts, limits);
    case "log":
      return within(logElement(body, ts, largest), largest);
    case "config":
      return within(configElement(body, ts, largest), largest);
  }
}

function dataElement({ data }: DataMessageBody, ts: number, limits: TelemetryLimits): Mapped {
  const values: [string, unknown][] = [];
  const problems: string[] = [];
  for (const [key, value] of Object.entries(data)) {
    const carried = carriedValue(key, value);
    if ("problem" in carried) problems.push(`"${key.slice(0, SHOWN_OF_KEY)}" ${carried.problem}`);
    else values.push([key, carried.value]);
  }
  const refused = problems.join(", ");
  const points = values.length;
  if (points === 0) return { refused: refused || "there is no value in it" };
  if (limits.dataPoints !== undefined && points > limits.dataPoints)
    return { refused: `it has ${points} values; this server takes ${limits.dataPoints} at once` };
  const mapped = within(encode(ts, Object.fromEntries(values)), limits.payloadBytes - AROUND);
  return refused === "" || mapped.refused !== undefined ? mapped : { ...mapped, refused };
}

/** The text of a log that is too long is cut, with a mark: the beginning tells what has happened. */
function logElement({ level, subject, body }: LogMessageBody, ts: number, largest: number): Element {
  const make = (shownSubject: string, shownBody: string) =>
    encode(ts, { logging: { level, subject: shownSubject, body: shownBody } });
  const fits = (element: Element) => element.bytes <= largest;
  const whole = make(subject, body);
  if (fits(whole)) return whole;
  const shortBody = longestThatFits(body, (text) => fits(make(subject, text)));
  if (shortBody !== undefined) return make(subject, shortBody);
  return make(longestThatFits(subject, (text) => fits(make(text, ""))) ?? subject, "");
}

/** A configuration that is too large is left out but for its general part: what counts is what has become of it. */
function configElement({ status, config, reason }: ConfigMessageBody, ts: number, largest: number): Element {
  const make = (shown: object) =>
    encode(ts, { configuration: { status, config: shown, ...(reason === undefined ? {} : { reason }) } });
  const whole = make(config);
  return whole.bytes <= largest ? whole : make({ general: config.general });
}

function within(element: Element, largest: number): Mapped {
  if (element.bytes <= largest) return { element };
  return { refused: `it takes ${element.bytes} bytes; this server takes ${largest} at once` };
}

function encode(ts: number, values: Values): Element {
  const json = JSON.stringify({ ts, values });
  return { json, bytes: Buffer.byteLength(json), dataPoints: Object.keys(values).length };
}
