import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { GroupCommit } from "../src/log/group-commit.ts";

/** Syncs that end when the test says so. */
function controlledSync() {
  const running: (() => void)[] = [];
  const sync = vi.fn(() => new Promise<void>((resolve) => running.push(resolve)));
  return { sync, end: () => running.shift()?.() };
}

const turn = () => vi.advanceTimersByTimeAsync(0);

describe("syncs", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("are shared by callers of the same turn, and by those that come while one is running", async () => {
    const { sync, end } = controlledSync();
    const commit = new GroupCommit(sync, 1_000, () => undefined);
    const done = vi.fn();
    for (let caller = 0; caller < 100; caller++) void commit.now().then(done);
    await turn();
    expect(sync).toHaveBeenCalledTimes(1);
    for (let caller = 0; caller < 100; caller++) void commit.now().then(done);
    await turn();
    expect(sync).toHaveBeenCalledTimes(1);
    end();
    await turn();
    expect(done).toHaveBeenCalledTimes(100);
    expect(sync).toHaveBeenCalledTimes(2);
    end();
    await turn();
    expect(done).toHaveBeenCalledTimes(200);
  });

  it("of a window are one at its beginning, and one at its end if something was written in it", async () => {
    const sync = vi.fn(async () => undefined);
    const commit = new GroupCommit(sync, 1_000, () => undefined);
    commit.soon();
    await turn();
    expect(sync).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
    for (let message = 0; message < 50; message++) commit.soon();
    await vi.advanceTimersByTimeAsync(999);
    expect(sync).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(sync).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sync).toHaveBeenCalledTimes(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("that fail are told to whoever waits, or else to the one who watches, and are tried again", async () => {
    const sync = vi
      .fn()
      .mockRejectedValueOnce(new Error("EIO"))
      .mockRejectedValueOnce(new Error("EIO"))
      .mockResolvedValue(undefined);
    const failed = vi.fn();
    const commit = new GroupCommit(sync, 1_000, failed);
    await expect(commit.now()).rejects.toThrow("EIO");
    commit.soon();
    await turn();
    expect(failed).toHaveBeenCalledTimes(1);
    await expect(commit.now()).resolves.toBeUndefined();
  });
});
