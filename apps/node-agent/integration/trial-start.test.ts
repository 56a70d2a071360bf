import { spawn } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readPointer } from "@ivy/updater";
import { expect, it, type TestContext, vi } from "vitest";
import { excessOf } from "../src/footprint.ts";
import { endTrial, type Trial } from "../src/trial.ts";
import { configFor } from "./support/config.ts";
import { setUpRoot } from "./support/root-node.ts";

/** The end of a trial, in this process, of a node whose processes work; its outside is a stand-in. */
async function trialOn({ onTestFinished }: Pick<TestContext, "onTestFinished">, failures: Error[] = []) {
  const base = configFor({ host: "localhost", port: 9 });
  const config = { ...base, general: { ...base.general, software_version: "1.2.3" } };
  const { paths } = await setUpRoot(config, onTestFinished);
  const generation = readPointer(paths, "active") as string;
  const attempt = join(paths.trials, generation, "attempt-1");
  mkdirSync(attempt, { recursive: true });
  const stored: string[] = [];
  const failed: string[] = [];
  const updater = {
    isOnTrial: true,
    commit: async () => {
      stored.push("commit");
      updater.isOnTrial = false;
    },
  };
  const isServed = vi.fn(() => true);
  const stop = new AbortController();
  const ended = endTrial({
    updater,
    fleet: { unsteady: () => [], isServed },
    record: async () => {
      const failure = failures.pop();
      if (failure !== undefined) throw failure;
      stored.push("start");
    },
    site: { paths, generation, running: paths.root, preparation: new URL("file:///nowhere.js"), attempt },
    messages: { addMessage: async () => stored.push("message") },
    logger: { info: () => undefined, exception: (error: unknown) => failed.push(String(error)) },
    signal: stop.signal,
  } as unknown as Trial);
  return { ended, stored, failed, stop, paths, isServed };
}

it("a trial whose start cannot be stored at first is proven once it can be", {
  timeout: 60_000,
}, async (test) => {
  const { ended, stored, failed } = await trialOn(test, [new Error("ENOSPC")]);
  await ended;
  expect(failed).toEqual(["Error: ENOSPC"]);
  expect(stored).toEqual(["start", "message", "commit"]);
});

it("a trial of which nothing could be taken back is not proven, and says so at its end", async (test) => {
  const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  test.onTestFinished(() => said.mockRestore());
  const { ended, stored, stop, paths, isServed } = await trialOn(test, [new Error("ENOSPC")]);
  // While the start cannot be stored yet.
  rmSync(paths.lastGood);
  await vi.waitFor(() => expect(stored).toContain("message"), { timeout: 20_000 });
  isServed.mockClear();
  await vi.waitFor(() => expect(isServed.mock.calls.length).toBeGreaterThan(2), { timeout: 20_000 });
  stop.abort();
  await ended;
  expect(stored).not.toContain("commit");
  expect(said).toHaveBeenCalledWith("Not proven until now: last-good names no generation\n");
});

it("the memory of all processes together must leave half of a machine to others", async ({
  onTestFinished,
}) => {
  const MEGABYTE = 1_000_000;
  const machine = 2 * (process.memoryUsage().rss + 50 * MEGABYTE);
  expect(excessOf(process.pid, machine)).toEqual([]);
  const hungry = "globalThis.x = Buffer.alloc(150_000_000, 1); setInterval(() => {}, 1e6)";
  const child = spawn(process.execPath, ["-e", hungry]);
  onTestFinished(() => void child.kill("SIGKILL"));
  await vi.waitFor(
    () => expect(excessOf(process.pid, machine)).toEqual([expect.stringMatching(/more than half of/)]),
    { timeout: 20_000 },
  );
  expect(excessOf(process.pid)).toEqual([]);
});
