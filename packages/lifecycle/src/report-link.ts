import type { LinkEvent } from "@ivy/messaging/forwarder";
import type { LinkReport } from "./ipc.ts";

/** Acknowledgements come many a second; they are told of this often, in milliseconds. */
const ACKNOWLEDGEMENTS_MS = 10_000;

/**
 * Makes reports of what becomes of a connection. What is no news is not reported.
 *
 * @param now - milliseconds on the system's monotonic clock
 */
export function linkReporter(
  report: (link: LinkReport) => void,
  now: () => number,
): (event: LinkEvent) => void {
  let link: LinkReport | undefined;
  const tell = (next: LinkReport) => {
    link = next;
    report(next);
  };
  return (event) => {
    if (event === "acknowledged") {
      if (link === undefined || !isNews(link, now())) return;
      return tell({ ...link, lastAcknowledged: now() });
    }
    const connected = event === "connected";
    if (link?.connected !== connected) tell({ ...link, connected, since: now() });
  };
}

/** The first acknowledgement over a connection is always: it shows that the server takes messages. */
function isNews({ since, lastAcknowledged }: LinkReport, now: number): boolean {
  return (
    lastAcknowledged === undefined ||
    lastAcknowledged < since ||
    now - lastAcknowledged >= ACKNOWLEDGEMENTS_MS
  );
}
