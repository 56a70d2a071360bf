import { type Config, MAX_REVISION, TopicsConfig } from "@ivy/types";
import * as z from "zod/mini";
import { backendOf, type ForwardingNode, forwardQueue } from "./forward-queue.ts";
import { mqttProtocol } from "./mqtt-protocol.ts";
import { type ConfigReceiver, receiveConfig } from "./receive-config.ts";

/** A whole configuration; whoever publishes it counts its revisions. */
const Configuration = z.looseObject({
  general: z.looseObject({ config_revision: z.int().check(z.minimum(0), z.maximum(MAX_REVISION)) }),
});

/**
 * The backend that speaks plain MQTT, with topics of one's own.
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
  const backend = backendOf(config);
  const protocol = mqttProtocol({
    topics: backend.topics ?? TopicsConfig.parse({}),
    systemIdentifier: config.general.system_identifier,
    clientId: backend.mqtt_connection.client_id,
    receiveConfig: (payload) => receive(payload, node),
  });
  await forwardQueue(backend, protocol, teardownIndicator, node);
}

async function receive(payload: Buffer, node: ConfigReceiver): Promise<void> {
  // An empty payload is how a retained message is deleted.
  if (payload.length === 0) return;
  const config = parse(payload);
  if (config === undefined) {
    node.logger.error(
      "What arrived on the topic of the configuration is not one",
      `Expected: JSON, with a whole number general.config_revision from 0 to ${MAX_REVISION} that grows with every change`,
    );
    return;
  }
  await receiveConfig(config, config.general.config_revision, node);
}

function parse(payload: Buffer): z.infer<typeof Configuration> | undefined {
  try {
    return Configuration.safeParse(JSON.parse(payload.toString())).data;
  } catch {
    return undefined;
  }
}
