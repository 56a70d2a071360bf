import type { MessageQueueItem } from "@ivy/types";
import { toItem } from "../item.ts";
import type { Consumer } from "../queue/consumer.ts";
import type { Pace } from "./pace.ts";
import type { Caution, Quarantine } from "./quarantine.ts";

/** A connection that has stood this long is not one that ends whatever is sent, in milliseconds. */
const A_WHILE_MS = 3_000;

/** How a connection stands when the next messages are chosen for it. */
export interface Standing {
  /** How long it has stood, in milliseconds. */
  stoodMs: number;
  /** Nothing of the queue is under way. */
  idle: boolean;
  /** It has carried a message of the queue. */
  hasCarried: boolean;
}

/**
 * Chooses what is sent next over one connection: what is fresh or urgent before the backlog, which is paced, and
 * suspected messages with caution.
 */
export class Selection<Body> {
  readonly #consumer: Consumer;
  readonly #quarantine: Quarantine;
  /** Of the backlog, if it is apart. */
  readonly #pace: Pace | undefined;
  /** There was more of it than was taken last. */
  #backlogLeft = true;
  /** Taken from the queue and not chosen yet. */
  #ahead: MessageQueueItem<Body>[] = [];
  /** Suspected messages that let others go first. */
  #held: MessageQueueItem<Body>[] = [];
  /** What was chosen last has to stay alone. */
  #alone = false;
  #waitMs: number | undefined;

  constructor(consumer: Consumer, quarantine: Quarantine, pace: Pace | undefined) {
    this.#consumer = consumer;
    this.#quarantine = quarantine;
    this.#pace = pace;
    if (pace !== undefined) consumer.setBacklogApart();
  }

  /** Milliseconds until something may be chosen that had to wait for its time, when `next` was called last. */
  get waitMs(): number | undefined {
    return this.#waitMs;
  }

  /** The next messages; none if there are none, or if they have to wait. */
  next(limit: number, standing: Standing): MessageQueueItem<Body>[] {
    this.#waitMs = undefined;
    if (this.#alone && !standing.idle) return [];
    this.#alone = false;
    this.#lookAhead(limit, standing);
    return this.#ahead.splice(0, this.#countToSend(limit, standing));
  }

  /** How many of those ahead may be sent now. */
  #countToSend(limit: number, { stoodMs, idle, hasCarried }: Standing): number {
    const cautions = this.#ahead.slice(0, limit).map((message) => this.#cautionWith(message));
    const suspect = cautions.findIndex((caution) => caution !== "none");
    if (this.#held.length === 0 && suspect === -1) return cautions.length;
    if (this.#held.length === 0 && suspect > 0) return suspect;
    this.#alone = true;
    const [first] = cautions;
    const takesAWhile = !hasCarried && (first === "after a while" || first === "after another");
    if (takesAWhile && stoodMs < A_WHILE_MS) {
      this.#waitMs = A_WHILE_MS - stoodMs;
      return 0;
    }
    return idle ? 1 : 0;
  }

  /** Takes messages until there is one that need not let others go first; those that have to come last of all. */
  #lookAhead(limit: number, { hasCarried }: Standing): void {
    this.#ahead.unshift(...(hasCarried ? this.#held.splice(0) : []));
    for (;;) {
      if (this.#ahead.length === 0) this.#ahead = this.#take(limit);
      const [first] = this.#ahead;
      if (first === undefined || hasCarried || this.#cautionWith(first) !== "after another") break;
      this.#held.push(first);
      this.#ahead.shift();
    }
    if (this.#ahead.length === 0) this.#ahead = this.#held.splice(0);
  }

  #cautionWith({ identifier }: MessageQueueItem<Body>): Caution {
    return this.#quarantine.cautionWith(identifier);
  }

  #take(limit: number): MessageQueueItem<Body>[] {
    const fresh = this.#consumer.take(limit);
    const room = limit - fresh.length;
    const pace = this.#pace;
    if (room === 0 || pace === undefined) return fresh.map(toItem<Body>);
    // All the room or none: so the backlog goes in full batches, whatever its pace.
    const wait = pace.waitFor(room);
    if (wait > 0) {
      if (this.#backlogLeft) this.#waitMs = wait;
    } else {
      const backlog = this.#consumer.takeBacklog(room);
      pace.take(backlog.length);
      this.#backlogLeft = backlog.length === room;
      fresh.push(...backlog);
    }
    return fresh.map(toItem<Body>);
  }
}
