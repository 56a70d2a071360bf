import { setTimeout as sleep } from "node:timers/promises";
import { KernelLock, lockHolder } from "@ivy/files";
import type { ForwardOptions } from "./forward-options.ts";

/** A forwarder whose agent was killed may still be on its way out when the next one begins, in milliseconds. */
const PATIENCE_MS = 5_000;
const AGAIN_MS = 200;

/** Another forwarder sends this queue already: two would send every message twice. */
export class QueueHeldError extends Error {
  readonly code = "IVY_QUEUE_HELD";
  override readonly name = "QueueHeldError";
  /** The process that forwards, if the kernel tells. */
  readonly holder: number | undefined;

  constructor(file: string, holder: number | undefined) {
    const who = holder === undefined ? "another process" : `process ${holder}`;
    super(
      `The queue is forwarded by ${who} already (${file} is locked): stop that, or give this agent a folder of its own`,
    );
    this.holder = holder;
  }
}

/**
 * Holds a queue for one forwarder, until that ends in whatever way. Where the disk takes no lock (it is full, or
 * read-only) messages are sent all the same.
 *
 * @throws QueueHeldError where another forwarder does not let go of it
 */
export async function holdQueue<Body>({
  agent,
  logger,
  teardown,
}: Pick<ForwardOptions<Body>, "agent" | "logger" | "teardown">): Promise<Disposable | undefined> {
  const file = `${agent.logFolder}.forwarder.lock`;
  try {
    using opened = new DisposableStack();
    const lock = opened.use(new KernelLock(file));
    if (await acquire(lock, teardown)) return opened.move();
  } catch (error) {
    logger.warning("It is not known whether another process forwards this queue too", String(error));
    return undefined;
  }
  throw new QueueHeldError(file, lockHolder(file));
}

async function acquire(lock: KernelLock, signal: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!lock.tryAcquire()) {
    if (signal.aborted || performance.now() >= deadline) return false;
    await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
  }
  return true;
}
