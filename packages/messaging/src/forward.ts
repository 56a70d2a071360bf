import { setTimeout as sleep } from "node:timers/promises";
import type { MessageBody } from "@ivy/types";
import { backOff } from "./back-off.ts";
import {
  type BrokerConnection,
  ConnectionRefusedError,
  connectToBroker,
  type Receive,
  SubscriptionRefusedError,
  subscribe,
} from "./broker-connection.ts";
import type { Consumer } from "./consumer.ts";
import { Delivery, type ForwarderLog } from "./delivery.ts";
import type { BrokerLink } from "./link.ts";
import type { MessagingAgent } from "./messaging-agent.ts";
import type { ServerProtocol } from "./server-protocol.ts";
import { watchLog } from "./watch-log.ts";

/** How long an end waits for a connection that does not stand, in seconds: what is left is in the queue anyway. */
const LONGEST_WAIT_FOR_CONNECTION_S = 3;

export interface ForwardOptions<Body = MessageBody> {
  /** Whose queue is forwarded. */
  agent: MessagingAgent<Body>;
  protocol: ServerProtocol<Body>;
  broker: BrokerConnection;
  /** Most messages that are sent and not acknowledged, from 1 on. */
  maxParallelMessages: number;
  /** Most messages that are mapped, and perhaps published, together; 50 if left out. */
  batchSize?: number;
  logger: ForwarderLog;
  /** Ends the forwarding. */
  teardown: AbortSignal;
  /** How long it may go on sending what is in the queue after that, in seconds; asked for when it ends. */
  drainSeconds: () => number;
}

/**
 * Forwards a queue to a broker until it is told to end, and then drains it. A message leaves the queue only when the
 * broker has acknowledged it. Without a connection it tries again, for ever, with growing pauses.
 */
export async function forward<Body = MessageBody>(options: ForwardOptions<Body>): Promise<void> {
  const { agent, teardown, logger } = options;
  const consumer = agent.openConsumer();
  const left = new AbortController();
  const end = endOf(teardown, options.drainSeconds, left.signal);
  let failures = 0;
  try {
    while (!left.signal.aborted && !end.deadline.aborted) {
      const outcome = await forwardOverOneConnection(options, consumer, end);
      if (outcome === "drained") break;
      failures = outcome.connected ? 1 : failures + 1;
      const pause = backOff(failures, isRefusal(outcome.error));
      report(logger, outcome, failures, pause);
      await sleep(pause, undefined, { signal: end.withoutConnection }).catch(() => undefined);
      if (end.withoutConnection.aborted) break;
    }
  } finally {
    left.abort();
  }
}

interface End {
  /** The drain is over, whether or not everything is sent. */
  deadline: AbortSignal;
  /** It is not worth waiting for a connection any longer. */
  withoutConnection: AbortSignal;
}

/** When to stop: some time after the teardown has begun. */
function endOf(teardown: AbortSignal, drainSeconds: () => number, left: AbortSignal): End {
  const deadline = new AbortController();
  const withoutConnection = new AbortController();
  const after = (seconds: number, ended: AbortController) => {
    const timer = setTimeout(() => ended.abort(), seconds * 1_000);
    left.addEventListener("abort", () => clearTimeout(timer));
  };
  const begin = () => {
    const seconds = drainSeconds();
    after(seconds, deadline);
    after(Math.min(seconds, LONGEST_WAIT_FOR_CONNECTION_S), withoutConnection);
  };
  if (teardown.aborted) begin();
  else teardown.addEventListener("abort", begin, { once: true });
  return { deadline: deadline.signal, withoutConnection: withoutConnection.signal };
}

type Outcome = "drained" | { connected: boolean; error: Error };

async function forwardOverOneConnection<Body>(
  options: ForwardOptions<Body>,
  consumer: Consumer,
  end: End,
): Promise<Outcome> {
  const { agent, broker, protocol, logger, teardown } = options;
  let connected = false;
  try {
    const { client, link } = await connectToBroker(broker, {
      cleanSession: protocol.cleanSession ?? false,
      receive: receiver(options),
      signal: end.withoutConnection,
    });
    connected = true;
    logger.info(`Connected to the broker ${broker.host}:${broker.port}`);
    await using delivery = new Delivery({ ...options, client, consumer });
    await unlessAborted(subscribe(client, protocol.subscriptions), end.deadline);
    await unlessAborted(greet(options, link), AbortSignal.any([link.signal, end.deadline]));
    using _watcher = watchLog(agent.logFolder, (created) => {
      if (created) consumer.filesChanged();
      delivery.pump();
    });
    consumer.filesChanged();
    delivery.pump();
    await delivery.run(teardown, end.deadline);
    return "drained";
  } catch (error) {
    return { connected, error: error as Error };
  } finally {
    consumer.release();
  }
}

/** The outcome of some work, or the reason of a signal that aborts before. */
async function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const aborted = () => reject(signal.reason);
  if (signal.aborted) aborted();
  signal.addEventListener("abort", aborted, { once: true });
  try {
    await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", aborted);
  }
}

/** What the protocol does at every connect; if it breaks, messages are sent all the same. */
async function greet<Body>({ protocol, logger }: ForwardOptions<Body>, link: BrokerLink): Promise<void> {
  try {
    await protocol.connected?.(link);
  } catch (error) {
    link.signal.throwIfAborted();
    logger.error(
      "What the backend does at every connect has failed; messages are sent all the same",
      String(error),
    );
  }
}

/** A receiver that breaks must not break the connection: the server would send the same again. */
function receiver<Body>({ protocol, logger }: ForwardOptions<Body>): Receive {
  return async (topic, payload, link) => {
    try {
      await protocol.receive(topic, payload, link);
    } catch (error) {
      logger.error(`A message on ${topic} could not be handled`, String(error));
    }
  };
}

/** The broker does not want us: nothing is gained by hurrying. */
function isRefusal(error: Error): boolean {
  return error instanceof ConnectionRefusedError || error instanceof SubscriptionRefusedError;
}

/** One line when the trouble begins; the attempts after that are for whoever looks closely. */
function report(
  logger: ForwarderLog,
  { connected, error }: Exclude<Outcome, "drained">,
  failures: number,
  pauseMs: number,
): void {
  const next = `next attempt in ${(pauseMs / 1_000).toFixed(1)} s`;
  if (connected || failures === 1) logger.warning(error.message, next);
  else logger.debug(error.message, next);
}
