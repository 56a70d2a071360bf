import { watch } from "node:fs";
import { expect, it, onTestFinished, vi } from "vitest";
import { watchLog } from "../src/log/watch.ts";
import { createAgent, number, temporary } from "./support.ts";

vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  return { ...fs, watch: vi.fn(fs.watch) };
});

it("a log is looked at every second while this user has no more watches to give", async () => {
  const agent = createAgent(temporary());
  await agent.addMessage(number(1));
  vi.mocked(watch).mockImplementation(() => {
    throw Object.assign(new Error("too many open files, watch"), { code: "EMFILE" });
  });
  onTestFinished(() => void vi.mocked(watch).mockReset());
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const changed = vi.fn();
  const watched = watchLog(agent.logFolder, changed);
  vi.advanceTimersByTime(5_000);
  expect(changed.mock.calls).toEqual(Array.from({ length: 5 }, () => [true]));
  vi.mocked(watch).mockReset();
  vi.advanceTimersByTime(1_000);
  changed.mockClear();
  vi.advanceTimersByTime(29_000);
  expect(changed).not.toHaveBeenCalled();
  await agent.addMessage(number(2));
  await vi.waitFor(() => expect(changed).toHaveBeenCalledWith(false), 20_000);
  watched[Symbol.dispose]();
  changed.mockClear();
  vi.advanceTimersByTime(60_000);
  expect(changed).not.toHaveBeenCalled();
});
