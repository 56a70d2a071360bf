/*
 * What ThingsBoard accepts as telemetry, written from the server's side and apart from the code of the node that it
 * checks.
 */
import { type StoredValue, storeValue, WrittenNumber } from "./stored-value.ts";

/** Values of one instant, as the server has stored them. */
export interface ThingsBoardTelemetry {
  /** Unix time in milliseconds; the server's own where the device has sent none. */
  ts: number;
  values: Record<string, unknown>;
  /** The type of each value at the server. */
  types: Record<string, StoredValue["type"]>;
}

/** What becomes of a payload on the telemetry topic. */
export type ReadTelemetry =
  | { stored: ThingsBoardTelemetry[]; dataPoints: number; lost?: string }
  /** The server closes the connection. */
  | { complaint: string };

/** @param typeCast - see {@link storeValue} */
export function readTelemetry(payload: string, typeCast = true): ReadTelemetry {
  let message: unknown;
  try {
    message = parse(payload);
  } catch {
    return { complaint: "not JSON" };
  }
  const stored: ThingsBoardTelemetry[] = [];
  for (const element of Array.isArray(message) ? message : [message]) {
    const read = readElement(element, typeCast);
    if (typeof read === "string") return { complaint: read };
    stored.push(read);
  }
  const keys = stored.flatMap(({ values }) => Object.keys(values));
  const lost = keys.map(complaintAboutKey).find((complaint) => complaint !== undefined);
  return { stored, dataPoints: keys.length, ...(lost === undefined ? {} : { lost }) };
}

/** JSON with its numbers as they were written. */
export function parse(payload: string): unknown {
  const keepText = (_key: string, value: unknown, context: { source: string }) =>
    typeof value === "number" ? new WrittenNumber(context.source) : value;
  return JSON.parse(payload, keepText as (key: string, value: unknown) => unknown);
}

function readElement(element: unknown, typeCast: boolean): ThingsBoardTelemetry | string {
  if (!isObject(element)) return "not an object, nor an array of objects";
  const timed = "ts" in element && "values" in element;
  if (timed && !(element["ts"] instanceof WrittenNumber && /^\d+$/.test(element["ts"].text)))
    return "ts is not a whole number of milliseconds";
  const values = timed ? element["values"] : element;
  if (!isObject(values)) return "values is not an object";
  const stored: [string, StoredValue][] = [];
  for (const [key, value] of Object.entries(values)) {
    if (value === null) continue;
    const result = storeValue(value, typeCast);
    if (typeof result === "string") return `${key}: ${result}`;
    stored.push([key, result]);
  }
  return {
    ts: timed ? Number((element["ts"] as WrittenNumber).text) : Date.now(),
    values: Object.fromEntries(stored.map(([key, { value }]) => [key, value])),
    types: Object.fromEntries(stored.map(([key, { type }]) => [key, type])),
  };
}

/** Why the server loses all of a payload after it has acknowledged it, when it saves it. */
function complaintAboutKey(key: string): string | undefined {
  if (key.trim().length === 0) return "a key is blank";
  if (key.length > 255) return "a key has more than 255 characters";
  if (key.includes("<") || key.includes("{{")) return "a key holds markup";
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof WrittenNumber)
  );
}
