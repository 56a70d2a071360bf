import type { Lane } from "./log/place.ts";

/** What cannot wait behind a backlog of data: answers to the server, and what has gone wrong. */
export function usualLane(body: unknown): Lane {
  if (typeof body !== "object" || body === null || !("variant" in body)) return "regular";
  if (body.variant === "config") return "urgent";
  const level = body.variant === "log" && "level" in body ? body.level : undefined;
  return level === "ERROR" || level === "EXCEPTION" ? "urgent" : "regular";
}
