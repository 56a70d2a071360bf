/*
 * What Tenta accepts, written from the server's side and apart from the code of the node that it checks.
 */

export type TentaKind = "measurements" | "logs" | "acknowledgments";

export interface TentaMeasurement {
  value: Record<string, number>;
  timestamp: number;
  revision?: number;
}

export interface TentaLog {
  message: string;
  severity: "info" | "warning" | "error";
  timestamp: number;
  revision?: number;
}

export interface TentaAcknowledgment {
  success: boolean;
  timestamp: number;
  revision: number;
}

/** Why the server drops a payload, as a whole; `undefined` where it takes it. */
export function complaintAbout(kind: TentaKind, payload: string): string | undefined {
  let elements: unknown;
  try {
    elements = JSON.parse(payload);
  } catch {
    return "not JSON";
  }
  if (!Array.isArray(elements)) return "not an array";
  for (const [index, element] of elements.entries()) {
    const complaint = complaintAboutElement(kind, element);
    if (complaint !== undefined) return `element ${index}: ${complaint}`;
  }
  return undefined;
}

function complaintAboutElement(kind: TentaKind, element: unknown): string | undefined {
  if (typeof element !== "object" || element === null || Array.isArray(element)) return "not an object";
  const { timestamp, revision, ...rest } = element as Record<string, unknown>;
  if (typeof timestamp !== "number" || timestamp < 0) return "timestamp is not a number of seconds";
  // Milliseconds instead of seconds would lie in the year 10000 and later.
  if (timestamp > 253_402_300_799) return "timestamp is not in seconds";
  if (revision === undefined ? kind === "acknowledgments" : !isRevision(revision))
    return "revision is out of range";
  if (kind === "measurements") return complaintAboutMeasurement(rest);
  if (kind === "logs") return complaintAboutLog(rest);
  return (
    onlyKeys(rest, ["success"]) ??
    (typeof rest["success"] === "boolean" ? undefined : "success is not a boolean")
  );
}

function complaintAboutMeasurement(rest: Record<string, unknown>): string | undefined {
  const { value } = rest;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "value is not an object";
  const entries = Object.entries(value);
  if (entries.length === 0) return "value is empty";
  for (const [key, number] of entries) {
    const parts = key.split("_");
    const wellFormed = parts.every(
      (part) => part.length > 0 && [...part].every((c) => (c >= "a" && c <= "z") || (c >= "0" && c <= "9")),
    );
    if (!wellFormed || key.length > 64) return `the key ${key} is not allowed`;
    if (typeof number !== "number") return `${key} is not a number`;
  }
  return onlyKeys(rest, ["value"]);
}

function complaintAboutLog(rest: Record<string, unknown>): string | undefined {
  const { message, severity } = rest;
  if (typeof message !== "string" || message.length > 16_384)
    return "message is not a text of at most 16,384 characters";
  if (severity !== "info" && severity !== "warning" && severity !== "error") return "severity is unknown";
  return onlyKeys(rest, ["message", "severity"]);
}

function onlyKeys(object: object, allowed: string[]): string | undefined {
  const extra = Object.keys(object).find((key) => !allowed.includes(key));
  return extra === undefined ? undefined : `the field ${extra} is not allowed`;
}

function isRevision(value: unknown): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 2_147_483_647;
}
