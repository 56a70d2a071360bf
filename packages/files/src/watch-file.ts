import { type FSWatcher, watch } from "node:fs";

/** How long to wait before a file is looked at again that is not there or cannot be watched, in milliseconds. */
const LOOK_AGAIN_MS = 1_000;

/**
 * Calls back after a file has been replaced or changed, also when it is replaced again and again as
 * `replaceFile` does. Several changes in short order may come as one call; the last one is never missed.
 * Costs no wake-up while nothing changes, but where the file is not there or cannot be watched (a user may have only so
 * many watches): then it calls back every second.
 *
 * @param signal - ends the watching
 */
export function watchFile(file: string, signal: AbortSignal, changed: () => void): void {
  let watcher: FSWatcher | undefined;
  let timer: NodeJS.Timeout | undefined;

  /** A watch belongs to what the name meant when it was set up, so each event asks for a new one. */
  const rearm = (): void => {
    watcher?.close();
    if (signal.aborted) return;
    try {
      watcher = watch(file, { persistent: false }).once("change", look).once("error", later);
    } catch {
      later();
    }
  };
  const look = (): void => {
    rearm();
    changed();
  };
  const later = (): void => {
    timer = setTimeout(look, LOOK_AGAIN_MS).unref();
  };
  const end = (): void => {
    clearTimeout(timer);
    watcher?.close();
  };

  signal.addEventListener("abort", end, { once: true });
  rearm();
}
