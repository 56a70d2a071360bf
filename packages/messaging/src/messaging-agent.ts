import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type MessageArchiveItem, MessageBody, type MessageQueueItem } from "@ivy/types";
import type * as z from "zod/mini";
import { ActiveQueue, type DeadLetter } from "./active-queue.ts";
import { checkMessage } from "./check-message.ts";
import { Consumer } from "./consumer.ts";
import { type Durability, usualDurability } from "./durability.ts";
import { GroupCommit } from "./group-commit.ts";
import { listLogFiles } from "./log-files.ts";
import { type Located, readWholeLog } from "./log-reader.ts";
import { LogTail } from "./log-tail.ts";
import { LogWriter } from "./log-writer.ts";
import { encodeRecord } from "./record.ts";
import { watchLog } from "./watch-log.ts";

export interface MessagingAgentOptions<Body> {
  /** Everything is kept below it: the log in `messages/`, the queue in `active-message-queue.sqlite3`. */
  dataDir: string;
  /** What a message body must look like; Ivy's own bodies if left out. */
  schema?: z.ZodMiniType<Body>;
  /** Revision of the configuration in force: stamped on every message, unless it is negative. */
  revision?: number;
  /** For all messages of this agent; by the kind of the message if left out: see {@link usualDurability}. */
  durability?: Durability;
  /** Length of the window of the class `window` in milliseconds; 1,000 if left out. */
  windowMs?: number;
  /** The wall clock, in Unix milliseconds. */
  now?: () => number;
  /** Told what went wrong where no caller waits for it: a late sync that failed, a queue that had to be rebuilt. */
  onIncident?: (text: string) => void;
}

export interface AddOptions {
  durability?: Durability;
}

/** What is known about the queue without counting. */
export interface QueueStatistics {
  /** Messages in the queue's table; what only the log holds yet is not among them. */
  queued: number;
  /** Dead letters. */
  dead: number;
}

/**
 * Stores messages until a server has them. Any number of processes may each have an agent on the same folder.
 *
 * Adding is one append to the log; the queue's database is opened only when the queue is read.
 */
export class MessagingAgent<Body = MessageBody> {
  readonly #options: MessagingAgentOptions<Body>;
  readonly #schema: z.ZodMiniType<Body>;
  readonly #folder: string;
  readonly #now: () => number;
  readonly #writer: LogWriter;
  readonly #commit: GroupCommit;
  readonly #incident: (text: string) => void;
  /** Tells the messages of this agent from those of all others. */
  readonly #origin = randomBytes(6).toString("base64url");
  #count = 0;
  #queue: ActiveQueue | undefined;

  constructor(options: MessagingAgentOptions<Body>) {
    this.#options = options;
    this.#schema = options.schema ?? (MessageBody as unknown as z.ZodMiniType<Body>);
    this.#folder = join(options.dataDir, "messages");
    this.#now = options.now ?? Date.now;
    this.#incident = options.onIncident ?? (() => undefined);
    this.#writer = new LogWriter(this.#folder, this.#now);
    this.#commit = new GroupCommit(
      () => this.#writer.sync(),
      options.windowMs ?? 1_000,
      (error) => this.#incident((error as Error).message),
    );
  }

  /**
   * Adds a message to the archive and the queue. It is written when this returns, in the order of the calls; the
   * promise resolves once it is as durable as asked for.
   *
   * @throws InvalidMessageError where the body does not fit the schema; nothing is written then
   * @throws StoreWriteError where the disk is full or broken; what was stored before is intact
   */
  async addMessage(body: Body, options?: AddOptions): Promise<void> {
    this.#writer.append(this.#encode(body));
    await this.#makeDurable(options?.durability ?? this.#durabilityOf(body));
  }

  /** Adds several messages with one write: all of them or, where one does not fit the schema, none. */
  async addMessages(bodies: readonly Body[], options?: AddOptions): Promise<void> {
    if (bodies.length === 0) return;
    this.#writer.append(bodies.map((body) => this.#encode(body)).join(""));
    const classes = new Set(bodies.map((body) => options?.durability ?? this.#durabilityOf(body)));
    const strongest = (["sync", "window"] as const).find((durability) => classes.has(durability));
    await this.#makeDurable(strongest ?? "fast");
  }

  /**
   * The oldest messages of the queue (the name is the original's), whichever process added them.
   *
   * @param n - how many at most
   * @param excluded - identifiers of messages to leave out, for example because they are being sent
   */
  getNLatestMessages(n: number, excluded: Iterable<number> = []): MessageQueueItem<Body>[] {
    const queue = this.#openQueue();
    queue.ingest();
    const left = new Set(excluded);
    const found: Located[] = [];
    for (let last = 0; found.length < n; ) {
      const rows = queue.readAfter(last, n - found.length + left.size);
      found.push(...rows.filter(({ identifier }) => !left.has(identifier)));
      const end = rows.at(-1);
      if (end === undefined) break;
      last = end.identifier;
    }
    return found.slice(0, n).map(toItem<Body>);
  }

  /** Removes messages from the queue; the archive keeps them. */
  removeMessages(identifiers: Iterable<number>): void {
    const queue = this.#openQueue();
    queue.ingest();
    queue.transaction(() => {
      for (const identifier of identifiers) queue.remove(identifier);
    });
  }

  /** Moves messages from the queue to the dead letters. */
  setAside(refusals: Iterable<{ identifier: number; reason: string }>): void {
    const queue = this.#openQueue();
    queue.ingest();
    queue.transaction(() => {
      for (const { identifier, reason } of refusals) {
        const message = queue.find(identifier);
        if (message !== undefined) queue.bury(message, reason);
        queue.remove(identifier);
      }
    });
  }

  /** The oldest dead letters. */
  deadLetters(n: number): DeadLetter<Body>[] {
    return this.#openQueue()
      .deadLetters(n)
      .map(({ reason, at, located }) => ({ ...toItem<Body>(located), reason, set_aside_at: at }));
  }

  statistics(): QueueStatistics {
    return this.#openQueue().counts();
  }

  /** What the forwarder takes messages from. A queue has one at most. */
  openConsumer(): Consumer {
    return new Consumer(this.#openQueue(), this.#folder);
  }

  /** Folder of the log, to be watched for changes. */
  get logFolder(): string {
    mkdirSync(this.#folder, { recursive: true });
    return this.#folder;
  }

  /** The file that messages are appended to now: that of today in UTC, as a rule. */
  getMessageArchiveFile(): string {
    return this.#writer.path;
  }

  /** The messages of one day's file, in the order in which they were added. */
  loadMessageArchive(date: string): MessageArchiveItem<Body>[] {
    if (!existsSync(this.#folder)) return [];
    const file = listLogFiles(this.#folder).find(({ name }) => name === `${date}.jsonl`);
    if (file === undefined) return [];
    return readWholeLog(file).map((located) => {
      const { identifier: _, ...item } = toItem<Body>(located);
      return item;
    });
  }

  /** Calls back with every message that is added from now on, by whatever process, until the signal aborts. */
  observe(signal: AbortSignal, seen: (item: MessageQueueItem<Body>) => void): void {
    const files = () => listLogFiles(this.logFolder);
    const tail = new LogTail(
      files,
      new Map(files().map(({ sequence, path }) => [sequence, statSync(path).size])),
    );
    const watcher = watchLog(this.logFolder, (created) => {
      if (created) tail.filesChanged();
      const added = tail.take(Number.POSITIVE_INFINITY);
      tail.remove(added);
      for (const message of added) seen(toItem<Body>(message));
    });
    signal.addEventListener("abort", () => watcher[Symbol.dispose](), { once: true });
  }

  /** Makes everything durable and closes the files. */
  async teardown(): Promise<void> {
    await this.#commit.flush();
    this.#writer.close();
    this.#queue?.close();
    this.#queue = undefined;
  }

  #encode(body: Body): string {
    const m = checkMessage(this.#schema, body);
    const { revision } = this.#options;
    const r = revision === undefined || revision < 0 ? undefined : revision;
    return encodeRecord({ id: `${this.#origin}-${this.#count++}`, t: this.#now(), r, m });
  }

  #durabilityOf(body: Body): Durability {
    return this.#options.durability ?? usualDurability(body);
  }

  async #makeDurable(durability: Durability): Promise<void> {
    if (durability === "sync") await this.#commit.now();
    if (durability === "window") this.#commit.soon();
  }

  #openQueue(): ActiveQueue {
    const file = join(this.#options.dataDir, "active-message-queue.sqlite3");
    this.#queue ??= new ActiveQueue(file, this.logFolder, this.#incident);
    return this.#queue;
  }
}

/** A message of the log or the table as users of the queue see it. */
export function toItem<Body>({ identifier, record }: Located): MessageQueueItem<Body> {
  const revision = record.r === undefined ? {} : { revision: record.r };
  return { identifier, timestamp: record.t / 1_000, ...revision, message_body: record.m as Body };
}
