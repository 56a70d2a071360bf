import { existsSync } from "node:fs";

/** Part of util-linux, which every Debian has. */
const SETPRIV = "/usr/bin/setpriv";

/**
 * A command that the kernel sends a signal to when this process dies, by whatever death and whatever it is doing:
 * `setpriv` asks for that and turns into the command. Where there is no setpriv, it is the command as it is.
 */
export function dyingWithParent(signal: "KILL" | "TERM", command: readonly string[]): string[] {
  return existsSync(SETPRIV) ? [SETPRIV, "--pdeathsig", signal, ...command] : [...command];
}
