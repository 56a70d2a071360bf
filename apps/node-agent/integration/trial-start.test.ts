import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootPaths } from "@ivy/updater";
import { expect, it } from "vitest";
import { endTrial, type Trial } from "../src/trial.ts";

it("a trial whose start cannot be stored at first is proven once it can be", { timeout: 60_000 }, async ({
  onTestFinished,
}) => {
  const root = mkdtempSync(join(tmpdir(), "ivy-trial-start-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const attempt = join(root, "attempt-1");
  mkdirSync(attempt);
  const preparation = new URL("file:///nowhere.js");
  const stored: string[] = [];
  const failures: string[] = [];
  const updater = {
    isOnTrial: true,
    commit: async () => {
      stored.push("commit");
      updater.isOnTrial = false;
    },
  };
  await endTrial({
    updater,
    fleet: { unsteady: () => [], isServed: () => true },
    record: async () => {
      if (failures.length < 1) throw new Error("ENOSPC");
      stored.push("start");
    },
    site: { paths: rootPaths(root), generation: "8-a-2.0.0", running: root, preparation, attempt },
    messages: { addMessage: async () => stored.push("message") },
    logger: { info: () => undefined, exception: (error: unknown) => failures.push(String(error)) },
    signal: AbortSignal.timeout(30_000),
  } as unknown as Trial);
  expect(failures).toEqual(["Error: ENOSPC"]);
  expect(stored).toEqual(["start", "message", "commit"]);
});
