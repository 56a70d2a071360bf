import { systemMonotonicMs } from "@ivy/lifecycle/clock";
import type { LiveProcess, LiveStatus } from "./live.ts";
import type { StatusReport } from "./schema.ts";

export type Process = StatusReport["processes"][string];

/** A process as a report shows it, but for what the kernel would have to be asked for. */
export function describeProcess(live: LiveProcess): Omit<Process, "memory_bytes"> {
  const { progress, startedAt, variant } = live;
  const loop = variant === "procedure" ? progress : undefined;
  // A process that has not measured yet is as old as its last data point.
  const turned = loop === undefined ? undefined : (loop.lastSuccess ?? startedAt);
  return {
    state: live.state,
    pid: live.pid ?? null,
    uptime_seconds: secondsSince(startedAt),
    restarts: live.restarts,
    last_turn_age_seconds: secondsSince(turned),
    interval_seconds: loop === undefined ? null : loop.intervalMs / 1_000,
    failures: loop?.failures ?? 0,
    crash_loop: live.crashLoop,
    last_error: loop?.error ?? live.lastError ?? null,
  };
}

/** The connection to the server; `null` where no backend is to run. */
export function describeLink({ processes }: LiveStatus): StatusReport["link"] {
  const backend = Object.values(processes).find(({ variant }) => variant === "backend");
  if (backend === undefined) return null;
  const { link } = backend;
  const connected = link?.connected ?? (backend.state === "running" ? null : false);
  return {
    connected,
    since_seconds: secondsSince(link?.since),
    last_acknowledged_age_seconds: secondsSince(link?.lastAcknowledged),
  };
}

function secondsSince(monotonicMs: number | undefined): number | null {
  return monotonicMs === undefined ? null : Math.max(0, systemMonotonicMs() - monotonicMs) / 1_000;
}
