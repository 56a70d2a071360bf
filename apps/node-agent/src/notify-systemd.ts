import { spawn } from "node:child_process";

/** Part of systemd, so it is there where somebody listens. Node itself has no sockets of this kind. */
const SYSTEMD_NOTIFY = "systemd-notify";

/** What the service manager can be told. */
export type Notification = "READY=1" | "STOPPING=1" | "WATCHDOG=1" | `STATUS=${string}`;

/**
 * Tells the service manager something. Where there is none, or it cannot be told, nothing happens: the agent does its
 * work all the same, and a watchdog that is not fed does what it is there for.
 */
export function notifySystemd(notifications: readonly Notification[]): void {
  if (process.env["NOTIFY_SOCKET"] === undefined) return;
  // It waits until it has been heard: what comes of a process that is gone already cannot be told whose it is, and is lost.
  try {
    const child = spawn(SYSTEMD_NOTIFY, notifications, { stdio: "ignore" });
    child.on("error", () => undefined).unref();
  } catch {
    // The machine has no memory left, say.
  }
}

/** How long the service manager waits before it takes the agent for hung, in milliseconds; `undefined`: for ever. */
export function watchdogMs(): number | undefined {
  const ms = Number(process.env["WATCHDOG_USEC"]) / 1_000;
  return ms > 0 ? ms : undefined;
}
