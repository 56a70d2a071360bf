import { EventEmitter, once } from "node:events";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

interface Sync {
  file: string;
  begunAt: number;
}

const syncs = new EventEmitter<{ ended: [Sync] }>().setMaxListeners(0);
const { fdatasync, fdatasyncSync } = fs;

const begin = (descriptor: number): Sync => ({
  file: fs.readlinkSync(`/proc/self/fd/${descriptor}`),
  begunAt: performance.now(),
});

Object.assign(fs, {
  fdatasync(descriptor: number, done: fs.NoParamCallback) {
    const sync = begin(descriptor);
    fdatasync(descriptor, (error) => {
      if (error === null) syncs.emit("ended", sync);
      done(error);
    });
  },
  fdatasyncSync(descriptor: number) {
    const sync = begin(descriptor);
    fdatasyncSync(descriptor);
    syncs.emit("ended", sync);
  },
});
syncBuiltinESMExports();

/** Resolves once this process has synced a file, begun from now on; or when a signal aborts. */
export async function synced(file: string, signal: AbortSignal): Promise<void> {
  const from = performance.now();
  while (!signal.aborted) {
    const [sync] = await once(syncs, "ended", { signal }).catch((): Partial<Sync>[] => [{}]);
    if (sync?.file === file && (sync.begunAt ?? 0) >= from) return;
  }
}
