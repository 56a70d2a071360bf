import type { MessageBody } from "@ivy/types";
import type { MessagingAgent } from "../messaging-agent.ts";
import type { BrokerConnection } from "./broker.ts";
import type { ForwarderLog } from "./forwarder-log.ts";
import type { ServerProtocol } from "./server-protocol.ts";
import type { Timeouts } from "./timeouts.ts";

/** What becomes of the connection to the broker: `acknowledged` says that it has taken something of the queue. */
export type LinkEvent = "connected" | "disconnected" | "acknowledged";

export interface ForwardOptions<Body = MessageBody> {
  /** Whose queue is forwarded. */
  agent: MessagingAgent<Body, never>;
  protocol: ServerProtocol<Body>;
  broker: BrokerConnection;
  /** Most messages that are sent and not acknowledged, from 1 on. */
  maxParallelMessages: number;
  /** Most messages that are mapped, and perhaps published, together, from 1 on; 50 if left out. */
  batchSize?: number;
  /**
   * Most messages a second of what has waited while there was no connection; what is added meanwhile goes first then.
   * From 0.001 on; if left out, everything goes at once and oldest first.
   */
  backlogRate?: number;
  /** How long to wait for the other side. */
  timeouts?: Partial<Timeouts>;
  logger: ForwarderLog;
  /** Ends the forwarding. */
  teardown: AbortSignal;
  /** How long it may go on sending what is in the queue after that, in seconds, also `Infinity`; asked for when it ends. */
  drainSeconds: () => number;
  /**
   * Told of the connection: that the subscriptions are granted, of each acknowledgement and how many messages that was
   * for, that it has ended.
   */
  onLink?: (event: LinkEvent, messages?: number) => void;
}
