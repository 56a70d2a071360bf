import type { MessageQueueItem } from "@ivy/types";
import type { Mapping, ServerProtocol } from "./server-protocol.ts";

/** A message that breaks the protocol's own code is refused, alone; the others go on. */
export function mapSafely<Body>(
  protocol: ServerProtocol<Body>,
  messages: readonly MessageQueueItem<Body>[],
): Mapping {
  try {
    return protocol.map(messages);
  } catch (error) {
    const [only, ...others] = messages;
    if (only === undefined || others.length > 0)
      return merge(messages.map((message) => mapSafely(protocol, [message])));
    const reason = `it cannot be mapped: ${(error as Error).message}`;
    return { publishes: [], settled: [], refused: [{ identifier: only.identifier, reason }] };
  }
}

function merge(mappings: readonly Mapping[]): Mapping {
  return {
    publishes: mappings.flatMap(({ publishes }) => publishes),
    settled: mappings.flatMap(({ settled }) => settled),
    refused: mappings.flatMap(({ refused }) => refused),
  };
}
