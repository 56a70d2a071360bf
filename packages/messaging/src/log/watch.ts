import { watch } from "node:fs";

/** Looks at the log this often even if nothing tells of a change, in milliseconds. */
const SAFETY_CHECK_MS = 30_000;

/** Calls back when the log has grown; `created` tells that it may have a new file. */
export function watchLog(folder: string, changed: (created: boolean) => void): Disposable {
  const watcher = watch(folder, (event) => changed(event === "rename"));
  watcher.on("error", () => undefined);
  const timer = setInterval(() => changed(true), SAFETY_CHECK_MS).unref();
  return {
    [Symbol.dispose]() {
      watcher.close();
      clearInterval(timer);
    },
  };
}
