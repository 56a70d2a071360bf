import type { Agent } from "@ivy/lifecycle/child";
import { forward, type ServerProtocol } from "@ivy/messaging/forwarder";
import type { BackendConfig, Config } from "@ivy/types";
import { brokerOf } from "./broker.ts";
import type { ConfigReceiver } from "./receive-config.ts";

/** @throws Error where the configuration has no section `backend`: then no backend is to be started */
export function backendOf({ backend }: Pick<Config, "backend">): BackendConfig {
  if (backend) return backend;
  throw new Error("The configuration has no section backend, which the backend needs");
}

/** What forwarding needs of the context of a process. Without an agent, nobody is told of the connection. */
export interface ForwardingNode extends Pick<ConfigReceiver, "messages" | "logger" | "configDir"> {
  agent?: Pick<Agent, "reportLink">;
}

/**
 * Forwards the queue of a process as the section `backend` of its configuration says.
 *
 * @param teardown - ends it; with the reason `stop` it sends on what is in the queue for up to `max_drain_time`
 *   seconds, with `restart` it ends soon, for the queue outlives it
 */
export async function forwardQueue(
  backend: BackendConfig,
  protocol: ServerProtocol,
  teardown: AbortSignal,
  { messages, logger, configDir, agent }: ForwardingNode,
): Promise<void> {
  agent?.reportLink("disconnected");
  await forward({
    agent: messages,
    protocol,
    broker: brokerOf(backend.mqtt_connection, configDir),
    maxParallelMessages: backend.max_parallel_messages,
    backlogRate: backend.max_backlog_rate,
    logger,
    teardown,
    drainSeconds: () => (teardown.reason === "restart" ? 0 : backend.max_drain_time),
    ...(agent && { onLink: (event, messages) => agent.reportLink(event, messages) }),
  });
}
