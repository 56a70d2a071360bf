import { readStatistics } from "@ivy/messaging/statistics";
import { DATA_DIR } from "../../constants.ts";
import type { JsonOption } from "../config/check.ts";
import { isoTime } from "../iso-time.ts";
import { say, sayJson } from "../say.ts";

/** Changes nothing, for a node that is ill is not to be touched. */
export function countQueue({ json }: JsonOption): void {
  const { queued, queuedBytes, oldest, dead, dropped, ofPython = 0 } = readStatistics(DATA_DIR);
  const since = oldest === undefined ? null : isoTime(oldest);
  if (json) {
    sayJson({ queued, queued_bytes: queuedBytes, oldest: since, dead, dropped });
    return;
  }
  const age = since === null ? "" : `, the oldest from ${since}`;
  say(`Waiting: ${queued} messages, ${queuedBytes} bytes${age}`);
  if (ofPython > 0)
    say(`In the queue of Python Ivy: ${ofPython} of them; the agent takes them over when it first starts`);
  say(`Dead letters: ${dead}`);
  say(`Dropped unsent, for want of room: ${dropped}`);
}
