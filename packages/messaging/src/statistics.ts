import { existsSync } from "node:fs";
import { join } from "node:path";
import { type LogFile, LogFolder, sizeOf } from "./log/folder.ts";
import { LANES } from "./log/place.ts";
import { readLog } from "./log/reader.ts";
import type { QueueStatistics } from "./messaging-agent.ts";
import { countPending } from "./queue/depth.ts";
import { type QueueContents, readQueueDatabase } from "./queue/read-only-database.ts";
import { EVERYTHING } from "./queue/statements.ts";

/** Of more messages than this their number is estimated, so that a look takes milliseconds; in bytes. */
const COUNTED_BYTES = 64 * 1024;

/** The newest message is looked for in this much of the end of the log, in bytes. */
const END_BYTES = 64 * 1024;

/** What the messages of a node are, as somebody sees it who only looks. */
export interface StoreStatistics extends QueueStatistics {
  /** Unix time in seconds of the newest message that is not urgent: data, as a rule. */
  newest: number | undefined;
  /** How many of those that wait lie in a queue of Python Ivy, where it was not taken over yet. */
  ofPython?: number;
}

/**
 * Looks at the messages of a node, whether its agent runs or not, without changing anything: no file is created, none
 * is written to. Not for a process that has the same store open, which asks its `MessagingAgent`: a second SQLite in
 * one process takes the first one's locks away.
 *
 * @param dataDir - that of the `MessagingAgent`
 * @throws where the database of the queue is damaged or cannot be read
 */
export function readStatistics(dataDir: string): StoreStatistics {
  const folder = new LogFolder(join(dataDir, "messages"));
  const database = join(dataDir, "active-message-queue.sqlite3");
  const nothingSent = { pending: EVERYTHING, dead: 0, dropped: 0 };
  const found: QueueContents = existsSync(database) ? readQueueDatabase(database) : nothingSent;
  const { pending, dead, dropped, original } = found;
  const depths = LANES.map((lane) => countPending(folder.list(lane), pending, COUNTED_BYTES));
  const times = depths.flatMap(({ oldest }) => (oldest === undefined ? [] : oldest.record.t / 1_000));
  if (original?.oldest) times.push(original.oldest);
  return {
    queued: depths.reduce((sum, { messages }) => sum + messages, original?.messages ?? 0),
    queuedBytes: depths.reduce((sum, { bytes }) => sum + bytes, original?.bytes ?? 0),
    ...(original === undefined ? {} : { ofPython: original.messages }),
    oldest: times.length === 0 ? undefined : Math.min(...times),
    newest: newestOf(folder.list("regular")),
    dead,
    dropped,
  };
}

/** Unix time in seconds of the newest message that is not urgent; of the queue, nothing is opened for that. */
export function readNewestTime(dataDir: string): number | undefined {
  return newestOf(new LogFolder(join(dataDir, "messages")).list("regular"));
}

function newestOf(files: readonly LogFile[]): number | undefined {
  for (const file of files.toReversed()) {
    const size = sizeOf(file);
    let newest: number | undefined;
    for (let at = Math.max(0, size - END_BYTES); ; ) {
      const { located, next } = readLog(file, at, size, true);
      if (next === at) break;
      newest = located.at(-1)?.record.t ?? newest;
      at = next;
    }
    if (newest !== undefined) return newest / 1_000;
  }
  return undefined;
}
