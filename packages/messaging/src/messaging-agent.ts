import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { KernelLock } from "@ivy/files";
import type { MessageArchiveItem, MessageBody, MessageQueueItem } from "@ivy/types";
import { readDay, readTexts, readUrgentDay } from "./archive.ts";
import { checkDurability, checkedClock, checkRevision } from "./check-arguments.ts";
import { encodeChecked, type Schema } from "./check-message.ts";
import { type Durability, usualDurability } from "./durability.ts";
import { encodeSoundBody } from "./encode-sound-body.ts";
import { toArchiveItem, toItem } from "./item.ts";
import { LogFolder } from "./log/folder.ts";
import { LogLane } from "./log/lane.ts";
import { LANES, type Lane, placeOf, spanOfLane } from "./log/place.ts";
import { type Located, type Period, readRecordAt } from "./log/reader.ts";
import { encodeRecord, type LogRecord, openRecord } from "./log/record.ts";
import { contains } from "./log/spans.ts";
import { LogStream } from "./log/stream.ts";
import { observeLog } from "./observe.ts";
import { usualLane } from "./priority.ts";
import { ActiveQueue } from "./queue/active-queue.ts";
import { Consumer } from "./queue/consumer.ts";
import { countPending } from "./queue/depth.ts";
import { Housekeeping } from "./queue/housekeeping.ts";
import { DEFAULT_LIMITS, type StoreLimits } from "./queue/limits.ts";
import { randomName } from "./random-name.ts";
import { QueueUnavailableError, StoreWriteError, TornDownError } from "./store-error.ts";

/** How long putting dead letters back waits for another process that does so. */
const REQUEUE_TIMEOUT_MS = 15_000;

export interface MessagingAgentOptions<Body, Input = Body> {
  /** Everything is kept below it: the log in `messages/`, the queue in `active-message-queue.sqlite3`. */
  dataDir: string;
  /**
   * What a message body must look like; Ivy's own bodies if left out. What it gives is stored as JSON, so of a `Date`
   * text is read back, of a `Map` or a `Set` `{}`, of `NaN` `null`. It must not be asynchronous.
   */
  schema?: Schema<Body, Input>;
  /** Revision of the configuration in force: stamped on every message, unless it is negative. */
  revision?: number;
  /** For all messages of this agent; by the kind of the message if left out: see {@link usualDurability}. */
  durability?: Durability;
  /** Length of the window of the class `window` in milliseconds; 1,000 if left out. */
  windowMs?: number;
  /** How much is kept; what is left out has its default: a GiB each of sent and unsent messages, of 365 days each. */
  limits?: Partial<StoreLimits>;
  /** The wall clock, in Unix milliseconds. */
  now?: () => number;
  /** Told what went wrong where no caller waits for it: a late sync that failed, a queue that had to be rebuilt. */
  onIncident?: (text: string) => void;
}

export interface AddOptions {
  durability?: Durability;
  /** Whether it overtakes what waits; by the kind of the message if left out: answers to the server and errors do. */
  urgent?: boolean;
}

/** A message that is set aside: no server will ever take it, or not the whole of it. */
export interface DeadLetter<Body> extends MessageQueueItem<Body> {
  reason: string;
  /** ISO 8601, in UTC: when it was set aside. */
  set_aside_at: string;
}

/** What is known about the queue without reading all of it. */
export interface QueueStatistics {
  /** Messages that are not acknowledged; estimated from their bytes where that is more than a MiB. */
  queued: number;
  queuedBytes: number;
  /** Unix time in seconds of the oldest of them. */
  oldest: number | undefined;
  /** Dead letters. */
  dead: number;
  /** Messages that the limits have dropped unsent, dead letters among them. */
  dropped: number;
}

/**
 * Stores messages until a server has them. Any number of processes may each have an agent on the same folder.
 *
 * Adding is one append to the log; the queue's database is opened only when the queue is read.
 */
export class MessagingAgent<Body = MessageBody, Input = Body> {
  readonly #options: MessagingAgentOptions<Body, unknown>;
  readonly #folder: LogFolder;
  readonly #now: () => number;
  readonly #lanes: Record<Lane, LogLane>;
  readonly #incident: (text: string) => void;
  /** Tells the messages of this agent from those of all others. */
  readonly #origin = randomName();
  #count = 0;
  #isTornDown = false;
  #opened: { queue: ActiveQueue; housekeeping: Housekeeping } | undefined;

  /** @throws InvalidArgumentError where an option is not what it must be */
  constructor(options: MessagingAgentOptions<Body, Input>) {
    checkRevision(options.revision);
    checkDurability(options.durability);
    this.#options = options;
    this.#folder = new LogFolder(join(options.dataDir, "messages"));
    this.#now = checkedClock(options.now ?? Date.now);
    this.#incident = options.onIncident ?? (() => undefined);
    this.#lanes = { urgent: this.#createLane("urgent"), regular: this.#createLane("regular") };
  }

  /**
   * Adds a message to the archive and the queue. Calls of one turn of the event loop are written together when it
   * ends, in their order; the promise resolves once the message is as durable as asked for.
   *
   * @throws InvalidMessageError where the body does not fit the schema, or JSON cannot hold it; nothing is written then
   * @throws StoreWriteError where the disk is full or broken; what was stored before is intact
   * @throws InvalidArgumentError where the options are not what they must be, or the clock tells no time
   */
  addMessage(body: Input, options?: AddOptions): Promise<void> {
    try {
      const text = this.#encode(body);
      // What takes the schema to tell is refused, as a rule, so its place among the calls of this turn is nothing to keep.
      if (text === undefined) return this.addMessages([body], options);
      return this.#lanes[laneOf(body, options)].append(
        [this.#toRecord(text)],
        this.#durabilityOf(body, options),
      );
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Adds several messages, with one write for those of equal urgency: all of them or, where one does not fit the
   * schema, none. Where the disk becomes full in between, the first ones: see `stored` of {@link StoreWriteError}.
   */
  async addMessages(bodies: readonly Input[], options?: AddOptions): Promise<void> {
    const soon = bodies.map((body) => this.#encode(body));
    const texts = soon.every((text) => text !== undefined) ? soon : await this.#check(bodies);
    const added = bodies.map((body, index) => ({ body, record: this.#toRecord(texts[index] as string) }));
    const appends = LANES.map((lane) => {
      const own = added.filter(({ body }) => laneOf(body, options) === lane);
      const classes = new Set(own.map(({ body }) => this.#durabilityOf(body, options)));
      const strongest = (["sync", "window"] as const).find((durability) => classes.has(durability));
      if (own.length === 0) return undefined;
      return this.#lanes[lane].append(
        own.map(({ record }) => record),
        strongest ?? "fast",
      );
    });
    await Promise.all(appends);
  }

  /**
   * The oldest messages of the queue (the name is the original's), whichever process added them; what is urgent comes
   * first.
   *
   * @param n - how many at most; `Infinity` for all
   * @param excluded - identifiers of messages to leave out, for example because they are being sent
   */
  getNLatestMessages(n: number, excluded: Iterable<number> = []): MessageQueueItem<Body>[] {
    const pending = this.#open().queue.pending();
    const left = new Set(excluded);
    const found: Located[] = [];
    for (const lane of LANES) {
      const stream = new LogStream(this.#folder, spanOfLane(lane), () => undefined);
      while (found.length < n) {
        const next = stream.take(n - found.length, pending);
        if (next.length === 0) break;
        found.push(...next.filter(({ identifier }) => !left.has(identifier)));
      }
    }
    return found.map(toItem<Body>);
  }

  /** Removes messages from the queue; the archive keeps them. */
  removeMessages(identifiers: Iterable<number>): void {
    const { queue } = this.#open();
    queue.apply({ done: this.#find(identifiers).map(({ span }) => span) });
  }

  /** Moves messages from the queue to the dead letters. */
  setAside(refusals: Iterable<{ identifier: number; reason: string }>): void {
    const { queue } = this.#open();
    const reasons = new Map([...refusals].map(({ identifier, reason }) => [identifier, reason]));
    const dead = this.#find(reasons.keys()).map((located) => ({
      located,
      reason: reasons.get(located.identifier) as string,
    }));
    queue.apply({ done: dead.map(({ located }) => located.span), dead });
  }

  /**
   * The oldest dead letters.
   *
   * @param n - how many at most; `Infinity` for all
   */
  deadLetters(n: number): DeadLetter<Body>[] {
    return this.#open()
      .queue.deadLetters(n)
      .map(({ reason, at, ...message }) => ({ ...toItem<Body>(message), reason, set_aside_at: at }));
  }

  /**
   * Puts dead letters back into the queue, each with its own time and urgency and under a new identifier: once the server
   * takes them, say. A power cut in between leaves one in both places.
   *
   * @returns how many there were
   * @throws LockHeldError where another process is at it for more than 15 s
   */
  async requeue(identifiers: Iterable<number>): Promise<number> {
    this.#open();
    // Whoever does the same meanwhile would add the same letters.
    using lock = new KernelLock(join(this.#options.dataDir, "requeue.lock"));
    await lock.acquire(REQUEUE_TIMEOUT_MS);
    const { queue } = this.#open();
    const wanted = new Set(identifiers);
    const letters = queue
      .deadLetters(Number.POSITIVE_INFINITY)
      .filter(({ identifier }) => wanted.has(identifier));
    for (const { identifier, record } of letters) {
      const text = openRecord(record, JSON.stringify(record.m));
      await this.#lanes[placeOf(identifier).lane].append([text], "sync");
      queue.forget([identifier]);
    }
    return letters.length;
  }

  /** What this agent has stored itself so far: messages, and the bytes that it has written for them. */
  get stored(): { messages: number; bytes: number } {
    const lanes = LANES.map((lane) => this.#lanes[lane]);
    return {
      messages: lanes.reduce((sum, { stored }) => sum + stored, 0),
      bytes: lanes.reduce((sum, { writer }) => sum + writer.bytes, 0),
    };
  }

  statistics(): QueueStatistics {
    const { queue } = this.#open();
    const depths = LANES.map((lane) => countPending(this.#folder.list(lane), queue.pending()));
    const times = depths.flatMap(({ oldest }) => (oldest === undefined ? [] : oldest.record.t / 1_000));
    return {
      queued: depths.reduce((sum, { messages }) => sum + messages, 0),
      queuedBytes: depths.reduce((sum, { bytes }) => sum + bytes, 0),
      oldest: times.length === 0 ? undefined : Math.min(...times),
      ...queue.counts(),
    };
  }

  /** Removes what is over the limits. The forwarder sees to it; call it now and then where there is none. */
  keepLimits(): void {
    this.#open().housekeeping.keepLimits();
  }

  /** What the forwarder takes messages from. A queue has one at most. */
  openConsumer(): Consumer {
    const { queue, housekeeping } = this.#open();
    return new Consumer({
      queue,
      folder: this.#folder,
      incident: this.#incident,
      lookAfter: () => housekeeping.lookAfter(),
    });
  }

  /** Folder of the log, to be watched for changes. */
  get logFolder(): string {
    this.#folder.ensure();
    return this.#folder.path;
  }

  /** The file that messages are appended to now: that of today in UTC, as a rule. */
  getMessageArchiveFile(): string {
    return this.#lanes.regular.writer.path;
  }

  /**
   * The messages of one day; those of one urgency in the order in which they were added, those of Python Ivy first.
   *
   * @param date - in UTC: `2026-03-01`
   * @param urgentOnly - leaves out the data, which may be very many
   */
  loadMessageArchive(date: string, { urgentOnly = false } = {}): MessageArchiveItem<Body>[] {
    const records = urgentOnly
      ? readUrgentDay(this.#folder, date)
      : readDay(this.#folder, date, this.#incident);
    return records.map(toArchiveItem<Body>);
  }

  /**
   * The messages of a period, of whatever files: with a clock that was wrong, that of a message and that of its file
   * differ. Those of one urgency in the order in which they were added; those of Python Ivy first. Few are held at a time.
   */
  *messagesOf(period: Period): Generator<MessageArchiveItem<Body>> {
    for (const item of this.textsOf(period)) yield { ...item, message_body: JSON.parse(item.message_body) };
  }

  /** The same with their bodies in JSON, as they were written: for whoever goes through very many. */
  *textsOf(period: Period): Generator<MessageArchiveItem<string>> {
    for (const record of readTexts(this.#folder, period, this.#incident)) yield toArchiveItem<string>(record);
  }

  /**
   * Calls back with every message that is added from now on, by whatever process, until the signal aborts. What the
   * callback throws is an uncaught exception, and the messages behind are passed to it all the same.
   */
  observe(signal: AbortSignal, added: (item: MessageArchiveItem<Body>) => void): void {
    observeLog(this.#folder, signal, (record) => added(toArchiveItem<Body>(record)));
  }

  /**
   * Makes everything durable and closes the files. Whoever adds to the agent or reads its queue from here on is told so by
   * a {@link TornDownError}.
   *
   * @throws StoreWriteError where the disk does not take it; all is closed then as well
   */
  async teardown(): Promise<void> {
    this.#isTornDown = true;
    const ends = await Promise.allSettled(LANES.map((lane) => this.#lanes[lane].teardown()));
    this.#opened?.queue.close();
    this.#opened = undefined;
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }

  /**
   * The body in JSON; `undefined` where only Ivy's own schema can tell whether it is sound.
   *
   * @throws InvalidMessageError
   */
  #encode(body: Input): string | undefined {
    const { schema } = this.#options;
    return schema === undefined ? encodeSoundBody(body) : encodeChecked(schema, body);
  }

  /** @throws InvalidMessageError */
  async #check(bodies: readonly Input[]): Promise<string[]> {
    const { MessageBody: schema } = await import("./default-schema.ts");
    return bodies.map((body) => encodeChecked(schema, body));
  }

  /** @param m - the body in JSON */
  #toRecord(m: string): string {
    const { revision } = this.#options;
    const r = revision === undefined || revision < 0 ? undefined : revision;
    return openRecord({ id: `${this.#origin}-${this.#count++}`, t: this.#now(), r }, m);
  }

  /** @throws InvalidArgumentError */
  #durabilityOf(body: Input, options: AddOptions | undefined): Durability {
    checkDurability(options?.durability);
    return options?.durability ?? this.#options.durability ?? usualDurability(body);
  }

  /** Those of some messages that are in the queue. */
  #find(identifiers: Iterable<number>): Located[] {
    const pending = this.#open().queue.pending();
    const files = LANES.flatMap((lane) => this.#folder.list(lane));
    return [...identifiers].flatMap((identifier) => {
      const { lane, sequence, offset } = placeOf(identifier);
      const file = files.find((one) => one.lane === lane && one.sequence === sequence);
      return (file && contains(pending, identifier) && readRecordAt(file, offset)) || [];
    });
  }

  #createLane(lane: Lane): LogLane {
    return new LogLane({
      folder: this.#folder,
      lane,
      now: this.#now,
      windowMs: this.#options.windowMs ?? 1_000,
      incident: this.#incident,
    });
  }

  /**
   * @throws QueueUnavailableError where the folder cannot be created
   * @throws TornDownError
   */
  #open(): { queue: ActiveQueue; housekeeping: Housekeeping } {
    const { dataDir } = this.#options;
    if (this.#isTornDown) throw new TornDownError(dataDir);
    // Whoever adds and reads in one turn sees what was added.
    for (const lane of LANES) this.#lanes[lane].flush();
    if (this.#opened !== undefined) return this.#opened;
    try {
      mkdirSync(dataDir, { recursive: true });
    } catch (error) {
      throw new QueueUnavailableError(dataDir, error as Error);
    }
    const queue = new ActiveQueue(join(dataDir, "active-message-queue.sqlite3"), this.#incident);
    queue.takeOverPythonQueue((records) => this.#appendNow(records));
    const limits = { ...DEFAULT_LIMITS, ...this.#options.limits };
    const housekeeping = new Housekeeping(queue, this.#folder, limits, this.#incident);
    housekeeping.lookAfter();
    this.#opened = { queue, housekeeping };
    return this.#opened;
  }

  /** @throws StoreWriteError */
  #appendNow(records: readonly LogRecord[]): void {
    const { writer } = this.#lanes.regular;
    const lines = Buffer.from(records.map(encodeRecord).join(""));
    if (writer.append(lines) < lines.length)
      throw new StoreWriteError(writer.path, new Error("the disk became full (ENOSPC)"));
    writer.syncNow();
  }
}

function laneOf(body: unknown, options?: AddOptions): Lane {
  if (options?.urgent === undefined) return usualLane(body);
  return options.urgent ? "urgent" : "regular";
}
