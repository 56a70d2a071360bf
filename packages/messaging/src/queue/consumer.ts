import type { LogFolder } from "../log/folder.ts";
import { numberOf, type Span, spanOfLane } from "../log/place.ts";
import { endOfLines, type Located } from "../log/reader.ts";
import { joined, without } from "../log/spans.ts";
import { LogStream, type Unreadable } from "../log/stream.ts";
import type { ActiveQueue, Change } from "./active-queue.ts";

/** While the queue cannot be written to, more dead letters are not kept: the oldest go. */
const MOST_DEAD_DEFERRED = 1_000;

/** What becomes of messages that were taken. */
export interface Settlement {
  /** They leave the queue: acknowledged, or nothing to send, or set aside as a whole. */
  removed: readonly number[];
  /** Kept as dead letters. One that is not removed as well is still to be sent in part. */
  dead?: readonly { identifier: number; reason: string }[];
}

export interface ConsumerOptions {
  queue: ActiveQueue;
  folder: LogFolder;
  /** Told of what cannot be read. */
  incident: (text: string) => void;
  /** Keeps the limits of the log, if it is time for that. */
  lookAfter: () => void;
}

/**
 * Hands out what is to be sent, in order, each message once, until it is settled or released: what is urgent first,
 * then the rest.
 *
 * INVARIANT: a queue has one consumer. Other processes may remove messages meanwhile.
 */
export class Consumer {
  readonly #queue: ActiveQueue;
  readonly #folder: LogFolder;
  readonly #incident: (text: string) => void;
  readonly #lookAfter: () => void;
  readonly #urgent: LogStream;
  #regular: LogStream;
  #backlog: LogStream | undefined;
  /** Handed out and neither settled nor released. */
  readonly #taken = new Map<number, Located>();
  /** Goes into the queue with the next settlement: what was deferred, and what holds nothing that can be read. */
  #deferred: Required<Change> = { done: [], dead: [] };
  readonly #damagedFiles = new Set<string>();

  constructor({ queue, folder, incident, lookAfter }: ConsumerOptions) {
    this.#queue = queue;
    this.#folder = folder;
    this.#incident = incident;
    this.#lookAfter = lookAfter;
    this.#urgent = this.#open(spanOfLane("urgent"));
    this.#regular = this.#open(spanOfLane("regular"));
  }

  /** To be called when a file of the log has been created or removed. */
  filesChanged(): void {
    this.#lookAfter();
    for (const stream of this.#streams) stream.filesChanged();
  }

  /** To be called now and then while nothing can be sent: the log grows all the same. */
  lookAfter(): void {
    this.#lookAfter();
  }

  /**
   * Sets apart what waits now: from here on `take` hands out only what is added after this (and what is urgent), and
   * `takeBacklog` what was there before.
   */
  setBacklogApart(): void {
    const { from, to } = spanOfLane("regular");
    const newest = this.#folder.list("regular").at(-1);
    const end = newest === undefined ? from : numberOf({ ...newest, offset: endOfLines(newest) });
    this.release();
    this.#backlog = this.#open({ from, to: end });
    this.#regular = this.#open({ from: end, to });
  }

  /** The next messages, oldest first; none if everything has been taken. */
  take(limit: number): Located[] {
    const urgent = this.#takeFrom(this.#urgent, limit);
    return [...urgent, ...this.#takeFrom(this.#regular, limit - urgent.length)];
  }

  /** The next messages of the backlog that has been set apart, oldest first. */
  takeBacklog(limit: number): Located[] {
    return this.#backlog === undefined ? [] : this.#takeFrom(this.#backlog, limit);
  }

  /** Hands out again, later and in order, what is taken and not settled. */
  release(): void {
    this.#taken.clear();
    for (const stream of this.#streams) stream.rewind();
  }

  /** Durable against the death of this process when it returns, as is what was deferred. Where it throws, it is deferred. */
  settle(settlement: Settlement): void {
    this.defer(settlement);
    this.#queue.apply(this.#deferred);
    this.#deferred = { done: [], dead: [] };
  }

  /** Leaves it to the next settlement to write this into the queue; it is not handed out again all the same. */
  defer({ removed, dead = [] }: Settlement): void {
    const spans = removed.flatMap((identifier) => this.#taken.get(identifier)?.span ?? []);
    const letters = dead.flatMap(({ identifier, reason }) => {
      const located = this.#taken.get(identifier);
      return located === undefined ? [] : [{ located, reason }];
    });
    const { done, dead: before } = this.#deferred;
    this.#deferred = {
      done: joined([...done, ...spans]),
      dead: [...before, ...letters].slice(-MOST_DEAD_DEFERRED),
    };
    for (const identifier of removed) this.#taken.delete(identifier);
  }

  get #streams(): LogStream[] {
    return [this.#urgent, this.#regular, ...(this.#backlog === undefined ? [] : [this.#backlog])];
  }

  #takeFrom(stream: LogStream, limit: number): Located[] {
    if (limit === 0) return [];
    const next = stream.take(limit, this.#deferred.done.reduce(without, this.#queue.pending()));
    for (const message of next) this.#taken.set(message.identifier, message);
    return next;
  }

  #open(bounds: Span): LogStream {
    return new LogStream(this.#folder, bounds, (what) => this.#noteUnreadable(what));
  }

  #noteUnreadable({ file, lines, span }: Unreadable): void {
    if (span !== undefined) this.#deferred.done = joined([...this.#deferred.done, span]);
    if (lines === 0 || this.#damagedFiles.has(file)) return;
    this.#damagedFiles.add(file);
    this.#incident(`${file} is damaged: ${lines} of its lines cannot be read, and what they held is lost`);
  }
}
