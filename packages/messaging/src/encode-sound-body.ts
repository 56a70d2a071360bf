import type { ConfigMessageBody, LogLevel } from "@ivy/types";
import { encodeBody } from "./check-message.ts";

const LEVELS: readonly unknown[] = ["DEBUG", "INFO", "WARNING", "ERROR", "EXCEPTION"] satisfies LogLevel[];
const STATES: readonly unknown[] = [
  "received",
  "accepted",
  "rejected",
  "startup",
] satisfies ConfigMessageBody["status"][];

/** What the schema refuses or leaves out. */
const DOUBTFUL_KEYS = ["", "__proto__", "logging", "configuration"];

/** Each with its colon: a sensor has few keys, and they come again with every message. */
const encodedKeys = new Map<string, string>();
const MOST_ENCODED_KEYS = 1_000;

/**
 * The JSON text of a body that surely is a message as Ivy's schema wants it: a short way past the schema, which takes
 * 1.3 MB to load, and past the longest part of `JSON.stringify`. `undefined` says nothing.
 */
export function encodeSoundBody(body: unknown): string | undefined {
  if (!isObject(body)) return undefined;
  switch (body["variant"]) {
    case "data":
      return encodeData(body);
    case "log":
      return encodeLog(body);
    case "config":
      return encodeConfigState(body);
    default:
      return undefined;
  }
}

function encodeData(message: Record<string, unknown>): string | undefined {
  const { data } = message;
  if (!isPlain(data)) return undefined;
  for (const key in message) if (key !== "variant" && key !== "data") return undefined;
  const values = encodeValues(data);
  return values === "" ? undefined : `{"variant":"data","data":{${values}}}`;
}

function encodeLog(message: Record<string, unknown>): string | undefined {
  const { variant: _, level, subject, body, ...rest } = message;
  if (!LEVELS.includes(level) || typeof subject !== "string" || typeof body !== "string") return undefined;
  if (Object.keys(rest).length > 0) return undefined;
  return JSON.stringify({ variant: "log", level, subject, body });
}

function encodeConfigState(message: Record<string, unknown>): string | undefined {
  const { variant: _, status, config, reason, ...rest } = message;
  if (!STATES.includes(status) || (reason !== undefined && typeof reason !== "string")) return undefined;
  if (!isPlain(config) || !isPlain(config["general"])) return undefined;
  if (!Number.isSafeInteger(config["general"]["config_revision"])) return undefined;
  if (Object.keys(rest).length > 0) return undefined;
  return encodeBody({ variant: "config", status, config, reason });
}

/** What stands between the braces; nothing where any of it is doubtful. */
function encodeValues(data: Record<string, unknown>): string {
  let text = "";
  for (const key in data) {
    const value = data[key];
    const name = encodedKeys.get(key) ?? encodeKey(key);
    if (name === undefined) return "";
    if (typeof value === "number" ? !Number.isFinite(value) : typeof value !== "string") return "";
    if (text !== "") text += ",";
    text += name + (typeof value === "number" ? value : JSON.stringify(value));
  }
  return text;
}

function encodeKey(key: string): string | undefined {
  if (DOUBTFUL_KEYS.includes(key)) return undefined;
  if (encodedKeys.size >= MOST_ENCODED_KEYS) encodedKeys.clear();
  const name = `${JSON.stringify(key)}:`;
  encodedKeys.set(key, name);
  return name;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return isObject(value) && Object.getPrototypeOf(value) === Object.prototype;
}
