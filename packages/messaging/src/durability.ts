/**
 * What a message survives once it has been added.
 *
 * - `fast`: the death of the process, by whatever signal
 * - `window`: that, and a power cut, but for what was added within the last window
 * - `sync`: that, and a power cut at any time
 */
export type Durability = "sync" | "window" | "fast";

/** Answers to the server must not be lost, log lines may be; everything else is measured data. */
export function usualDurability(body: unknown): Durability {
  const variant = typeof body === "object" && body !== null && "variant" in body ? body.variant : undefined;
  if (variant === "config") return "sync";
  return variant === "log" ? "fast" : "window";
}
