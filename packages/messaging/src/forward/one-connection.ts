import { watchLog } from "../log/watch.ts";
import type { Consumer } from "../queue/consumer.ts";
import { connectToBroker, type Receive } from "./broker-connection.ts";
import type { Connection } from "./connection.ts";
import { Delivery } from "./delivery.ts";
import type { ForwardOptions } from "./forward-options.ts";
import type { Once } from "./once.ts";
import type { Quarantine } from "./quarantine.ts";
import type { Settling } from "./settling.ts";
import { subscribe } from "./subscribe.ts";
import type { Timeouts } from "./timeouts.ts";
import { matches } from "./topic.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** What outlives a connection. */
export interface Course {
  consumer: Consumer;
  quarantine: Quarantine;
  settling: Settling;
  /** What has been told, and need not be again: reasons of refusals, for example. */
  told: Once;
  timeouts: Timeouts;
  /** The drain is over, whether or not everything is sent. */
  deadline: AbortSignal;
  /** It is not worth waiting for a connection any longer. */
  withoutConnection: AbortSignal;
}

/** How an attempt to forward over one connection has failed. */
export interface Failure {
  error: Error;
  /** Of the connection, if one came about. */
  connection?: {
    stoodMs: number;
    /** It has carried messages. */
    hasCarried: boolean;
    /** Something was under way when it ended. */
    wasBusy: boolean;
  };
}

/** Forwards over one connection; there is no failure once everything is done that was to be done. */
export async function forwardOverOneConnection<Body>(
  options: ForwardOptions<Body>,
  course: Course,
): Promise<Failure | undefined> {
  try {
    await using connection = await connectToBroker(options.broker, {
      cleanSession: options.protocol.cleanSession ?? false,
      receive: receiver(options, course),
      timeouts: course.timeouts,
      signal: course.withoutConnection,
    });
    return await forwardOver(connection, options, course);
  } catch (error) {
    return { error: error as Error };
  } finally {
    course.consumer.release();
  }
}

async function forwardOver<Body>(
  connection: Connection,
  options: ForwardOptions<Body>,
  course: Course,
): Promise<Failure | undefined> {
  const { agent, broker, logger, teardown } = options;
  const begin = performance.now();
  logger.info(`Connected to the broker ${broker.host}:${broker.port}`);
  using delivery = new Delivery({ ...options, ...course, connection });
  try {
    await prepare(connection, options, course);
    using _watcher = watchLog(agent.logFolder, (created) => delivery.logChanged(created));
    course.consumer.filesChanged();
    await delivery.run(teardown, course.deadline);
    return undefined;
  } catch (error) {
    const stoodMs = performance.now() - begin;
    const wasBusy = connection.publisher.underWay.size > 0;
    return { error: error as Error, connection: { stoodMs, hasCarried: delivery.hasCarried, wasBusy } };
  }
}

/** What comes before anything of the queue is sent. */
async function prepare<Body>(
  connection: Connection,
  { protocol, logger, onLink }: ForwardOptions<Body>,
  { timeouts, withoutConnection }: Course,
): Promise<void> {
  const gone = AbortSignal.any([connection.ended, withoutConnection]);
  await unlessAborted(subscribe(connection, protocol.subscriptions, timeouts.acknowledgementMs), gone);
  onLink?.("connected");
  connection.ended.addEventListener("abort", () => onLink?.("disconnected"), { once: true });
  try {
    const inTime = AbortSignal.any([gone, AbortSignal.timeout(timeouts.acknowledgementMs)]);
    // In a function, for what it throws before it waits is caught as well.
    await unlessAborted((async () => protocol.connected?.(connection.link))(), inTime);
  } catch (error) {
    gone.throwIfAborted();
    const text = "What is to be done at every connect has failed; messages are sent all the same";
    logger.error(text, String(error));
  }
}

/**
 * Hands over what was asked for. A persistent session may hold subscriptions from when this client was another node, or
 * had other topics: those are given back. A receiver that breaks must not break the connection: the server would send
 * the same again.
 */
function receiver<Body>({ protocol, logger }: ForwardOptions<Body>, { told }: Course): Receive {
  return async (topic, payload, { client, link }) => {
    if (!protocol.subscriptions.some((filter) => matches(filter, topic))) {
      client.unsubscribe(topic, () => undefined);
      const text = `What arrived on ${topic} was not asked for, and is passed over: an earlier subscription, probably`;
      if (told.isNew(text)) logger.warning(text, "This client id has had it at the broker; it is given back");
      return;
    }
    try {
      await protocol.receive(topic, payload, link);
    } catch (error) {
      logger.error(`A message on ${topic} could not be handled`, String(error));
    }
  };
}
