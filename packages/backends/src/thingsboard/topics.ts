/** Kinds of packages at ThingsBoard: software and firmware. Everything about them is the same but for this prefix. */
export const PACKAGE_KINDS = ["sw", "fw"] as const;
export type PackageKind = (typeof PACKAGE_KINDS)[number];

export const ATTRIBUTES_TOPIC = "v1/devices/me/attributes";

/** All that ThingsBoard lets a device subscribe to, and that this backend uses: it compares these texts literally. */
export const SUBSCRIPTIONS = [
  ATTRIBUTES_TOPIC,
  "v1/devices/me/attributes/response/+",
  "v1/devices/me/rpc/request/+",
  "v1/devices/me/rpc/response/+",
  ...PACKAGE_KINDS.flatMap((kind) => [`v2/${kind}/response/+/chunk/+`, `v2/${kind}/error`]),
] as const;

/** A message from the server, by its topic. */
export type Incoming =
  | { kind: "attributes" }
  | { kind: "attributes-answer" | "rpc-answer" | "rpc"; id: number }
  | { kind: "chunk"; id: number; chunk: number }
  | { kind: "package-error" };

/** What a topic of {@link SUBSCRIPTIONS} says; nothing for any other. */
export function readTopic(topic: string): Incoming | undefined {
  if (topic === ATTRIBUTES_TOPIC) return { kind: "attributes" };
  if (/^v2\/[sf]w\/error$/.test(topic)) return { kind: "package-error" };
  const chunk = /^v2\/[sf]w\/response\/(\d+)\/chunk\/(\d+)$/.exec(topic);
  if (chunk !== null) return { kind: "chunk", id: Number(chunk[1]), chunk: Number(chunk[2]) };
  const other = /^v1\/devices\/me\/(attributes|rpc)\/(request|response)\/(\d+)$/.exec(topic);
  if (other === null) return undefined;
  const id = Number(other[3]);
  if (other[1] === "attributes") return { kind: "attributes-answer", id };
  return { kind: other[2] === "request" ? "rpc" : "rpc-answer", id };
}
