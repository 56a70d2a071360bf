import type { MessageQueueItem } from "@ivy/types";
import { checkMapping } from "./check-mapping.ts";
import type { Mapping, ServerProtocol } from "./server-protocol.ts";
import { ForwarderUsageError } from "./usage-error.ts";

/**
 * A message that breaks the protocol's own code, or has it return no mapping, is refused, alone; the others go on.
 *
 * @throws ForwarderUsageError where the protocol maps later, which is so for all messages
 */
export function mapSafely<Body>(
  protocol: ServerProtocol<Body>,
  messages: readonly MessageQueueItem<Body>[],
): Mapping {
  const mapping = tryToMap(protocol, messages);
  if (!(mapping instanceof Promise)) return mapping;
  mapping.catch(() => undefined);
  throw new ForwarderUsageError("what protocol.map returns", "a promise", "a mapping: it must not be async");
}

function tryToMap<Body>(
  protocol: ServerProtocol<Body>,
  messages: readonly MessageQueueItem<Body>[],
): Mapping {
  try {
    const mapping = protocol.map(messages);
    if (!(mapping instanceof Promise)) checkMapping(mapping, messages);
    return mapping;
  } catch (error) {
    const [only, ...others] = messages;
    if (only === undefined || others.length > 0)
      return merge(messages.map((message) => mapSafely(protocol, [message])));
    const reason = `it cannot be mapped: ${error instanceof Error ? error.message : String(error)}`;
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
