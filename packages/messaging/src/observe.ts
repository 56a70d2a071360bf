import type { LogFolder } from "./log/folder.ts";
import { LANES, spanOfLane } from "./log/place.ts";
import type { LogRecord } from "./log/record.ts";
import { LogStream } from "./log/stream.ts";
import { watchLog } from "./log/watch.ts";

const RECORDS_AT_A_TIME = 100;

/** Calls back with every record that is added to the log from now on, by whatever process, until the signal aborts. */
export function observeLog(folder: LogFolder, signal: AbortSignal, added: (record: LogRecord) => void): void {
  if (signal.aborted) return;
  folder.ensure();
  const everything = LANES.map(spanOfLane);
  const streams = everything.map((span) => new LogStream(folder, span, () => undefined));
  const takeAll = (pass: (record: LogRecord) => void): void => {
    for (const stream of streams) {
      const take = () => stream.take(RECORDS_AT_A_TIME, everything);
      for (let next = take(); next.length > 0; next = take()) for (const { record } of next) pass(record);
    }
  };
  takeAll(() => undefined);
  const watcher = watchLog(folder.path, (created) => {
    if (created) for (const stream of streams) stream.filesChanged();
    takeAll((record) => {
      try {
        if (!signal.aborted) added(record);
      } catch (error) {
        // As an EventTarget does it: thrown for all to see, but the records behind are not skipped.
        process.nextTick(() => {
          throw error;
        });
      }
    });
  });
  signal.addEventListener("abort", () => watcher[Symbol.dispose](), { once: true });
}
