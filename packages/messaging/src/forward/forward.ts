import { setTimeout as sleep } from "node:timers/promises";
import type { MessageBody } from "@ivy/types";
import type { ForwardOptions } from "./forward-options.ts";
import { Once } from "./once.ts";
import { type Course, forwardOverOneConnection } from "./one-connection.ts";
import { Quarantine } from "./quarantine.ts";
import { Reconnecting } from "./reconnecting.ts";
import { Settling } from "./settling.ts";
import { DEFAULT_TIMEOUTS } from "./timeouts.ts";
import { ForwarderUsageError } from "./usage-error.ts";

/** How long an end waits for a connection that does not stand, in seconds: what is left is in the queue anyway. */
const LONGEST_WAIT_FOR_CONNECTION_S = 3;

/**
 * Forwards a queue to a broker until it is told to end, and then drains it. A message leaves the queue only when the
 * broker has acknowledged it. Without a connection it tries again, for ever, with growing pauses.
 *
 * @throws ForwarderUsageError where the options or the protocol are wrong as a whole; messages stay in the queue
 */
export async function forward<Body = MessageBody>(options: ForwardOptions<Body>): Promise<void> {
  const { agent, broker, logger, teardown } = options;
  const left = new AbortController();
  const consumer = agent.openConsumer();
  using settling = new Settling(consumer, logger);
  const course: Course = {
    consumer,
    settling,
    quarantine: new Quarantine(),
    told: new Once(),
    timeouts: { ...DEFAULT_TIMEOUTS, ...options.timeouts },
    ...endOf(teardown, options.drainSeconds, left.signal),
  };
  const reconnecting = new Reconnecting(logger, broker.clientId);
  try {
    while (!course.withoutConnection.aborted) {
      const failure = await forwardOverOneConnection(options, course);
      if (failure?.error instanceof ForwarderUsageError) throw failure.error;
      if (failure === undefined || course.withoutConnection.aborted) break;
      const pause = reconnecting.pauseAfter(failure);
      await sleep(pause, undefined, { signal: course.withoutConnection }).catch(() => undefined);
    }
  } finally {
    left.abort();
  }
}

/** When to stop: some time after the teardown has begun. */
function endOf(
  teardown: AbortSignal,
  drainSeconds: () => number,
  left: AbortSignal,
): Pick<Course, "deadline" | "withoutConnection"> {
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
