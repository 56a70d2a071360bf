import type { Config } from "@ivy/types";
import { backendOf, forwardQueue } from "./forward-queue.ts";
import type { ThingsBoardNode } from "./thingsboard/node.ts";
import { thingsBoardProtocol } from "./thingsboard/protocol.ts";

export type {
  AssignedPackage,
  InstallOptions,
  InstallPackage,
  InstallProgress,
  InstallVerdict,
} from "./thingsboard/install-package.ts";
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
  const backend = backendOf(config);
  const protocol = thingsBoardProtocol({ node, config });
  await forwardQueue(backend, protocol, teardownIndicator, node);
  await protocol.settled();
}
