import { contentOf, type LogFile } from "../log/folder.ts";
import { type Span, spanOfFile } from "../log/place.ts";
import { type Located, readLog } from "../log/reader.ts";
import { lengthOf, within } from "../log/spans.ts";

/** More than this is not counted but estimated, so that it costs the same whatever waits; in bytes. */
const COUNTED_BYTES = 1024 ** 2;

export interface QueueDepth {
  /** Messages; estimated from their bytes where there are many. */
  messages: number;
  bytes: number;
  oldest: Located | undefined;
}

/**
 * How much waits to be sent in some files of one lane, which are in order.
 *
 * @param countedBytes - of more than this, the number of messages is estimated
 */
export function countPending(
  files: readonly LogFile[],
  pending: readonly Span[],
  countedBytes = COUNTED_BYTES,
): QueueDepth {
  let [bytes, counted, messages] = [0, 0, 0];
  let oldest: Located | undefined;
  for (const file of files) {
    const { from } = spanOfFile(file);
    const spans = within(pending, contentOf(file));
    bytes += lengthOf(spans);
    for (const span of spans) {
      for (let at = span.from; at < span.to && counted < countedBytes; ) {
        const { located, next } = readLog(file, at - from, span.to - from, true);
        if (next === at - from) break;
        oldest ??= located[0];
        messages += located.length;
        counted += from + next - at;
        at = from + next;
      }
    }
  }
  return { messages: counted === 0 ? 0 : Math.round((messages * bytes) / counted), bytes, oldest };
}
