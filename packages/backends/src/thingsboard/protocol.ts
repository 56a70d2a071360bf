import type { Link, ServerProtocol } from "@ivy/messaging/forwarder";
import type { Config } from "@ivy/types";
import { mapToTelemetry } from "../thingsboard-protocol.ts";
import type { ThingsBoardNode } from "./node.ts";
import { OtaMemory } from "./ota/ota.ts";
import { Rpc } from "./rpc.ts";
import { Session } from "./session.ts";
import { readLimits } from "./session-limits.ts";
import { SharedConfiguration } from "./shared-configuration.ts";
import { TIMING, type Timing } from "./timing.ts";
import { SUBSCRIPTIONS } from "./topics.ts";

export interface ThingsBoardOptions {
  node: ThingsBoardNode;
  config: Pick<Config, "general">;
  timing?: Timing;
}

/** The protocol of ThingsBoard's MQTT API for devices, and when everything that it does beside the queue has ended. */
export interface ThingsBoardProtocol extends ServerProtocol {
  settled(): Promise<void>;
}

/** Speaks ThingsBoard's MQTT API for devices, over one connection after another. */
export function thingsBoardProtocol({
  node,
  config,
  timing = TIMING,
}: ThingsBoardOptions): ThingsBoardProtocol {
  const rpc = new Rpc(node, config);
  const configuration = new SharedConfiguration(node);
  const ota = new OtaMemory();
  let limits = readLimits();
  let current: { link: Link; session: Session } | undefined;

  /** Messages may come before `connected` is called: a call that has waited for the node, for example. */
  const sessionOf = (link: Link): Session => {
    if (current?.link !== link)
      current = { link, session: new Session(link, { node, config, timing, rpc, configuration, ota }) };
    return current.session;
  };

  return {
    subscriptions: SUBSCRIPTIONS,
    // The server says that it has kept a session, and has kept nothing.
    cleanSession: true,
    async connected(link) {
      limits = await sessionOf(link).begin();
    },
    map: (messages) => mapToTelemetry(messages, limits.telemetry),
    receive: (topic, payload, link) => sessionOf(link).receive(topic, payload),
    settled: async () => await current?.session.settled(),
  };
}
