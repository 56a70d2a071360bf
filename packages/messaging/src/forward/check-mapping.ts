import type { MessageQueueItem } from "@ivy/types";
import type { Mapping, Publish, Refusal } from "./server-protocol.ts";
import { isTopic } from "./topic.ts";
import { ForwarderUsageError, show } from "./usage-error.ts";

/** @throws ForwarderUsageError where a mapping is none, or not one of these messages */
export function checkMapping(
  mapping: Mapping,
  messages: readonly Pick<MessageQueueItem<unknown>, "identifier">[],
): void {
  for (const part of ["publishes", "settled", "refused"] as const) {
    const came: unknown = mapping?.[part];
    if (!Array.isArray(came)) throw new ForwarderUsageError(`${part} of the mapping`, show(came), "an array");
  }
  const { publishes, settled, refused } = mapping;
  for (const publish of publishes) checkOfQueue(publish);
  for (const refusal of refused) checkReason(refusal);
  const given = new Set(messages.map(({ identifier }) => identifier));
  const named = new Set([
    ...publishes.flatMap(({ identifiers }) => identifiers),
    ...settled,
    ...refused.map(({ identifier }) => identifier),
  ]);
  for (const identifier of named) {
    if (!given.has(identifier))
      throw new ForwarderUsageError("an identifier in the mapping", show(identifier), "one that was given");
  }
  if (named.size < given.size)
    throw new ForwarderUsageError("a message", "not in the mapping", "each, published, settled or refused");
}

/** MQTT.js would never call back, close the connection, or throw, and the message be tried for ever. */
export function checkPublish({ topic, payload }: Pick<Publish, "topic" | "payload">): void {
  if (!isTopic(topic))
    throw new ForwarderUsageError("the topic", show(topic), "text of 1 to 65,535 bytes without + # and NUL");
  const came: unknown = payload;
  if (typeof came !== "string" && !(came instanceof Uint8Array))
    throw new ForwarderUsageError(
      "the payload",
      show(came),
      "text, such as that of JSON.stringify, or a Buffer",
    );
}

function checkOfQueue(publish: Publish): void {
  checkPublish(publish);
  const { identifiers, dataPoints = 0 } = publish;
  if (!Array.isArray(identifiers))
    throw new ForwarderUsageError("identifiers of a publish", show(identifiers), "an array");
  if (!(dataPoints >= 0))
    throw new ForwarderUsageError("dataPoints of a publish", show(dataPoints), "0 or more");
}

function checkReason({ reason }: Refusal): void {
  if (typeof reason !== "string")
    throw new ForwarderUsageError("the reason of a refusal", show(reason), "text");
}
