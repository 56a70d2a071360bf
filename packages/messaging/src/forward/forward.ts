import { setTimeout as sleep } from "node:timers/promises";
import type { MessageBody } from "@ivy/types";
import { checkOptions } from "./check-options.ts";
import type { ForwardOptions } from "./forward-options.ts";
import { holdQueue } from "./hold-queue.ts";
import { Once } from "./once.ts";
import { type Course, forwardOverOneConnection } from "./one-connection.ts";
import { Quarantine } from "./quarantine.ts";
import { Reconnecting } from "./reconnecting.ts";
import { Settling } from "./settling.ts";
import { LONGEST_TIMER_MS, timeoutsWith } from "./timeouts.ts";
import { ForwarderUsageError, show } from "./usage-error.ts";

/** How long an end waits for a connection that does not stand, in seconds: what is left is in the queue anyway. */
const LONGEST_WAIT_FOR_CONNECTION_S = 3;

/**
 * Forwards a queue to a broker until it is told to end, and then drains it. A message leaves the queue only when the
 * broker has acknowledged it. Without a connection it tries again, for ever, with growing pauses.
 *
 * @throws ForwarderUsageError where the options or the protocol are wrong as a whole; messages stay in the queue
 * @throws QueueHeldError where another forwarder sends this queue, in this process or another
 */
export async function forward<Body = MessageBody>(options: ForwardOptions<Body>): Promise<void> {
  checkOptions(options);
  using _held = await holdQueue(options);
  const { agent, broker, logger } = options;
  const left = new AbortController();
  const consumer = agent.openConsumer();
  using settling = new Settling(consumer, logger);
  const course: Course = {
    consumer,
    settling,
    quarantine: new Quarantine(),
    told: new Once(),
    timeouts: timeoutsWith(options.timeouts),
    ...endOf(options, left.signal),
  };
  const reconnecting = new Reconnecting(logger, broker.clientId);
  try {
    while (!course.withoutConnection.aborted) {
      const failure = await forwardOverOneConnection(options, course);
      if (failure?.error instanceof ForwarderUsageError) throw failure.error;
      if (failure === undefined || course.withoutConnection.aborted) break;
      consumer.lookAfter();
      const pause = reconnecting.pauseAfter(failure);
      await sleep(pause, undefined, { signal: course.withoutConnection }).catch(() => undefined);
    }
  } finally {
    left.abort();
  }
}

/** When to stop: some time after the teardown has begun. */
function endOf<Body>(
  options: ForwardOptions<Body>,
  left: AbortSignal,
): Pick<Course, "deadline" | "withoutConnection"> {
  const { teardown } = options;
  const deadline = new AbortController();
  const withoutConnection = new AbortController();
  const after = (seconds: number, ended: AbortController) => {
    const timer = setTimeout(() => ended.abort(), Math.min(seconds * 1_000, LONGEST_TIMER_MS));
    left.addEventListener("abort", () => clearTimeout(timer));
  };
  const begin = () => {
    const seconds = drainSecondsOf(options);
    after(seconds, deadline);
    after(Math.min(seconds, LONGEST_WAIT_FOR_CONNECTION_S), withoutConnection);
  };
  if (teardown.aborted) begin();
  else teardown.addEventListener("abort", begin, { once: true, signal: left });
  return { deadline: deadline.signal, withoutConnection: withoutConnection.signal };
}

/** It is asked for in a listener, where nobody would catch what it throws. */
function drainSecondsOf<Body>({ drainSeconds, logger }: ForwardOptions<Body>): number {
  const text = "How long to go on sending is not known, so what is in the queue stays there";
  try {
    const seconds = drainSeconds();
    if (seconds >= 0) return seconds;
    logger.error(text, `drainSeconds returned ${show(seconds)}; expected is a number from 0 on`);
  } catch (error) {
    logger.error(text, String(error));
  }
  return 0;
}
