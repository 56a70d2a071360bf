import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { watchLog } from "../src/log/watch.ts";
import { createAgent, number, temporary, valuesOf } from "./support.ts";

/** The monotonic clock goes on by so much, in milliseconds. */
function pass(ms: number): void {
  const now = performance.now();
  const spy = vi.spyOn(performance, "now").mockImplementation(() => now + ms);
  onTestFinished(() => spy.mockRestore());
}

describe("a writer whose files are gone while it runs", () => {
  it.each<[string, (log: string) => void]>([
    ["the folder of the log is deleted", (log) => rmSync(log, { recursive: true })],
    ["its file is deleted", (log) => readdirSync(log).forEach((name) => void rmSync(join(log, name)))],
    ["the folder of the log is moved", (log) => renameSync(log, `${log}-moved`)],
  ])("(%s) goes on in a new one within a second, and says so once", async (_, spoil) => {
    const dataDir = temporary();
    const onIncident = vi.fn();
    const agent = createAgent(dataDir, { onIncident });
    const other = createAgent(dataDir);
    await agent.addMessage(number(1));
    expect(valuesOf(other.getNLatestMessages(10))).toEqual([1]);
    spoil(join(dataDir, "messages"));
    pass(1_001);
    for (const value of [2, 3]) await agent.addMessage(number(value), { durability: "sync" });
    expect(onIncident.mock.calls).toEqual([[expect.stringMatching(/\.jsonl was deleted or moved/)]]);
    // A file of the same name as the one that it has known.
    expect(valuesOf(other.getNLatestMessages(10))).toEqual([2, 3]);
    expect(valuesOf(createAgent(dataDir).getNLatestMessages(10))).toEqual([2, 3]);
  });
});

it("a log whose folder is deleted and comes again is watched again", async () => {
  const folder = join(temporary(), "messages");
  mkdirSync(folder);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const changed = vi.fn();
  using _ = watchLog(folder, changed);
  rmSync(folder, { recursive: true });
  await vi.waitFor(() => expect(changed).toHaveBeenCalled(), 20_000);
  mkdirSync(folder);
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  vi.advanceTimersByTime(30_000);
  changed.mockClear();
  mkdirSync(join(folder, "new"));
  await vi.waitFor(() => expect(changed).toHaveBeenCalledWith(true), 20_000);
});
