import { closeSync, writeSync } from "node:fs";

/** The file descriptor on which a main process in the background says that it is up. */
export const UP_DESCRIPTOR = 3;

/** To be called once, by a main process that `MainloopToggle` has started, when its main loop is up. */
export function tellUp(): void {
  try {
    writeSync(UP_DESCRIPTOR, "up\n");
  } catch {
    // Whoever has started this does not wait any longer.
  }
  closeSync(UP_DESCRIPTOR);
}
