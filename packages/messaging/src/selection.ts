import type { MessageQueueItem } from "@ivy/types";
import type { Consumer } from "./consumer.ts";
import { toItem } from "./messaging-agent.ts";
import type { Pace } from "./pace.ts";
import type { Quarantine } from "./quarantine.ts";

/** How a connection stands when the next messages are chosen for it. */
export interface Standing {
  /** Nothing of the queue is under way. */
  idle: boolean;
  /** It has carried a message of the queue. */
  hasCarried: boolean;
}

/**
 * Chooses what is sent next over one connection: what is fresh or urgent before the backlog, which is paced, and
 * suspected messages alone.
 */
export class Selection<Body> {
  readonly #consumer: Consumer;
  readonly #quarantine: Quarantine;
  /** Of the backlog, if it is apart. */
  readonly #pace: Pace | undefined;
  #backlogLeft: boolean;
  /** Taken from the queue and not chosen yet. */
  #ahead: MessageQueueItem<Body>[] = [];
  /** Suspected messages that wait for another one to be carried first. */
  readonly #held: MessageQueueItem<Body>[] = [];
  /** What was chosen last has to stay alone. */
  #alone = false;

  constructor(consumer: Consumer, quarantine: Quarantine, pace: Pace | undefined) {
    this.#consumer = consumer;
    this.#quarantine = quarantine;
    this.#pace = pace;
    this.#backlogLeft = pace !== undefined;
    if (pace !== undefined) consumer.setBacklogApart();
  }

  /** Milliseconds until more of the backlog may be sent; undefined if nothing waits for that. */
  get waitMs(): number | undefined {
    return this.#backlogLeft ? this.#pace?.waitFor(Number.POSITIVE_INFINITY) : undefined;
  }

  /** The next messages; none if there are none, or if they have to wait. */
  next(limit: number, standing: Standing): MessageQueueItem<Body>[] {
    if (this.#alone && !standing.idle) return [];
    this.#alone = false;
    if (standing.hasCarried) this.#ahead.unshift(...this.#held.splice(0));
    this.#lookAhead(limit, standing);
    if (this.#quarantine.size === 0) return this.#ahead.splice(0, limit);
    const suspected = this.#ahead.findIndex(({ identifier }) => this.#quarantine.isSuspected(identifier));
    this.#alone = suspected === 0 || this.#held.length > 0;
    if (this.#alone) return standing.idle ? this.#ahead.splice(0, 1) : [];
    return this.#ahead.splice(0, suspected === -1 ? limit : Math.min(limit, suspected));
  }

  /** Takes messages until there is one that may be sent. */
  #lookAhead(limit: number, { hasCarried }: Standing): void {
    for (;;) {
      if (this.#ahead.length === 0) this.#ahead = this.#take(limit).map(toItem<Body>);
      const [first] = this.#ahead;
      if (first === undefined || hasCarried || !this.#quarantine.hasLastChance(first.identifier)) return;
      this.#held.push(first);
      this.#ahead.shift();
    }
  }

  #take(limit: number) {
    const fresh = this.#consumer.take(limit);
    const room = limit - fresh.length;
    // All the room or none: so the backlog goes in full batches, whatever its pace.
    if (room === 0 || !this.#backlogLeft || this.#pace === undefined || this.#pace.waitFor(room) > 0)
      return fresh;
    const backlog = this.#consumer.takeBacklog(room);
    this.#pace.take(backlog.length);
    this.#backlogLeft = backlog.length === room;
    return [...fresh, ...backlog];
  }
}
