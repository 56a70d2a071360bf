import { globSync, writeFileSync } from "node:fs";
import { describe } from "vitest";

const [LIBRARY] = globSync("/usr/lib/*/faketime/libfaketimeMT.so.1");

export const describeWithFaketime = (name: string, suite: () => void) =>
  describe.skipIf(LIBRARY === undefined)(`${name} (needs faketime)`, suite);

/** A wall clock that can be stepped while processes run; their monotonic clock is the real one. */
export function steppableClock(file: string) {
  const step = (seconds: number) => writeFileSync(file, `${seconds < 0 ? "" : "+"}${seconds}`);
  step(0);
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    LD_PRELOAD: LIBRARY,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
    DONT_FAKE_MONOTONIC: "1",
    FAKETIME_DISABLE_SHM: "1",
  };
  return { env, step };
}
