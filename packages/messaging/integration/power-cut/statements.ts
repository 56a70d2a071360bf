import { appendFileSync } from "node:fs";
import { join } from "node:path";
import type { MessageBody } from "@ivy/types";

/** What the programs say of messages, each named by its key: writer and number. */
const VERBS = [
  /** The adding begins: it may be stored from now on. */
  "adding",
  /** As durable as its class promises. */
  "stored",
  /** The removal, or the sending, begins: it may be missing in the queue from now on. */
  "leaving",
  /** The removal is durable. */
  "gone",
  /** The setting aside begins: it may be a dead letter from now on. */
  "burying",
  /** That is durable. */
  "buried",
] as const;
type Verb = (typeof VERBS)[number];

/** Keys of messages by what was said of them. */
export type Said = Record<Verb, Set<string>>;

/** States something in the recorded folder; returns when it is written. */
export function say(folder: string, verb: Verb, keys: readonly string[]): void {
  if (keys.length > 0) appendFileSync(join(folder, "said"), `${verb} ${keys.join(" ")}\n`);
}

export function understand(statements: readonly string[]): Said {
  const said = Object.fromEntries(VERBS.map((verb) => [verb, new Set<string>()])) as Said;
  for (const statement of statements) {
    const [verb, ...keys] = statement.split(" ");
    for (const key of keys) said[verb as Verb].add(key);
  }
  return said;
}

/** The message with this key, the same whenever it is asked for; of any length, and not only ASCII. */
export function messageWith(key: string): MessageBody {
  const number = Number(key.split(":")[1]);
  return { variant: "data", data: { key, note: "°C ".repeat((number * 37) % 150) } };
}

export function keyOf(body: MessageBody): string {
  return body.variant === "data" ? String(body.data["key"]) : "";
}
