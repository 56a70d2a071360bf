import { type Config, MAX_REVISION } from "@ivy/types";
import * as z from "zod/mini";
import { backendOf, type ForwardingNode, forwardQueue } from "./forward-queue.ts";
import { type ConfigReceiver, receiveConfig } from "./receive-config.ts";
import { tentaProtocol } from "./tenta-protocol.ts";

/** What the server publishes for a sensor. */
const Configuration = z.object({
  revision: z.int().check(z.minimum(0), z.maximum(MAX_REVISION)),
  configuration: z.record(z.string(), z.unknown()),
});

/**
 * The backend that speaks to a Tenta server.
 *
 * @param teardownIndicator - ends it; with the reason `stop` it sends on what is in the queue for up to
 *   `max_drain_time` seconds, with `restart` it ends soon, for the queue outlives it
 */
export async function run(
  config: Config,
  _name: string,
  teardownIndicator: AbortSignal,
  node: ConfigReceiver & ForwardingNode,
): Promise<void> {
  const protocol = tentaProtocol({
    sensor: config.general.system_identifier,
    receiveConfig: (payload) => receive(payload, node),
  });
  await forwardQueue(backendOf(config), protocol, teardownIndicator, node);
}

async function receive(payload: Buffer, node: ConfigReceiver): Promise<void> {
  // An empty payload is how a retained message is deleted.
  if (payload.length === 0) return;
  const message = parse(payload);
  if (message === undefined) {
    node.logger.error(
      "The server sent something that is not a configuration: { revision, configuration } was expected",
    );
    return;
  }
  await receiveConfig(message.configuration, message.revision, node);
}

function parse(payload: Buffer): z.infer<typeof Configuration> | undefined {
  try {
    return Configuration.safeParse(JSON.parse(payload.toString())).data;
  } catch {
    return undefined;
  }
}
