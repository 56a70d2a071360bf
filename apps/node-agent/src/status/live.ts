import type { ProcessStatus, Variant } from "@ivy/lifecycle";
import { NotOwnerError } from "../control/errors.ts";
import { exchange } from "../control/exchange.ts";

/** What only the main process knows, as it tells whoever asks. Times are on the system's monotonic clock. */
export interface LiveStatus {
  /** Of the main process itself. */
  pid: number;
  version: string;
  revision: number;
  startedAt: number;
  safeMode: boolean;
  /** How long it may take to end when it is asked to; an older version does not tell. */
  secondsToStop?: number;
  processes: Record<string, LiveProcess>;
}

export type LiveProcess = Pick<
  ProcessStatus,
  "state" | "pid" | "restarts" | "startedAt" | "link" | "progress" | "dueInMs" | "crashLoop" | "lastError"
> & { variant: Variant };

/**
 * Asks the main process how it fares.
 *
 * @param timeoutMs - how long it may take, in milliseconds
 * @returns `undefined` where it does not answer, or ends while it does
 * @throws NotOwnerError where it is another user's
 */
export async function askMain(dataDir: string, timeoutMs: number): Promise<LiveStatus | undefined> {
  try {
    return (await exchange(dataDir, { kind: "status" }, timeoutMs)) as LiveStatus;
  } catch (error) {
    if (error instanceof NotOwnerError) throw error;
    return undefined;
  }
}
