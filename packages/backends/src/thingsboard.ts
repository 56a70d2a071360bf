import { forward } from "@ivy/messaging/forwarder";
import type { Config } from "@ivy/types";
import { brokerOf } from "./broker.ts";
import type { ThingsBoardNode } from "./thingsboard/node.ts";
import { thingsBoardProtocol } from "./thingsboard/protocol.ts";

export type { AssignedPackage, InstallPackage, InstallVerdict } from "./thingsboard/install-package.ts";
export type { ThingsBoardNode } from "./thingsboard/node.ts";

/**
 * The backend that speaks to a ThingsBoard server.
 *
 * @param teardownIndicator - ends it; with the reason `stop` it sends on what is in the queue for up to
 *   `max_drain_time` seconds, with `restart` it ends soon, for the queue outlives it
 * @param node - the context of the process, and what installs the packages that the server assigns
 */
export async function run(
  config: Config,
  _name: string,
  teardownIndicator: AbortSignal,
  node: ThingsBoardNode,
): Promise<void> {
  const { backend } = config;
  if (!backend) throw new Error("The configuration has no section backend, which the backend needs");
  const protocol = thingsBoardProtocol({ node, config });
  await forward({
    agent: node.messages,
    protocol,
    broker: brokerOf(backend.mqtt_connection, node.configDir),
    maxParallelMessages: backend.max_parallel_messages,
    backlogRate: backend.max_backlog_rate,
    logger: node.logger,
    teardown: teardownIndicator,
    drainSeconds: () => (teardownIndicator.reason === "restart" ? 0 : backend.max_drain_time),
  });
  await protocol.settled();
}
