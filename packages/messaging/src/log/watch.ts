import { type FSWatcher, watch } from "node:fs";

/** Looks at the log this often even if nothing tells of a change, in milliseconds. */
const SAFETY_CHECK_MS = 30_000;

/** And this often where nothing can: a user may have only so many watches. */
const UNWATCHED_CHECK_MS = 1_000;

/** Calls back when the log has grown; `created` tells that it may have a new file. */
export function watchLog(folder: string, changed: (created: boolean) => void): Disposable {
  let watcher: FSWatcher | undefined;
  let timer: NodeJS.Timeout | undefined;

  const rearm = (): void => {
    // A watch is of the folder that had the name then, which may have been deleted or moved since.
    watcher?.close();
    watcher = tryToWatch();
    timer = setTimeout(look, watcher === undefined ? UNWATCHED_CHECK_MS : SAFETY_CHECK_MS).unref();
  };
  const look = (): void => {
    rearm();
    changed(true);
  };
  const tryToWatch = (): FSWatcher | undefined => {
    try {
      return watch(folder, (event) => changed(event === "rename")).on("error", () => undefined);
    } catch {
      return undefined;
    }
  };

  rearm();
  return {
    [Symbol.dispose]() {
      clearTimeout(timer);
      watcher?.close();
    },
  };
}
