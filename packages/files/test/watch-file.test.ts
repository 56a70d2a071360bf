import { mkdtempSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { replaceFile, watchFile } from "../src/index.ts";

function watched(file: string) {
  const ended = new AbortController();
  onTestFinished(() => ended.abort());
  const changed = vi.fn();
  watchFile(file, ended.signal, changed);
  return { changed, end: () => ended.abort() };
}

vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  return { ...fs, watch: vi.fn(fs.watch) };
});

describe("watchFile", () => {
  it("tells of every replacement, not only the first", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "ivy-watch-")), "state.json");
    replaceFile(file, "0");
    const { changed } = watched(file);
    for (let round = 1; round <= 3; round++) {
      const before = changed.mock.calls.length;
      replaceFile(file, String(round));
      await vi.waitFor(() => expect(changed.mock.calls.length).toBeGreaterThan(before), 20_000);
    }
  });

  it("tells of a file that appears later", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "ivy-watch-")), "state.json");
    const { changed } = watched(file);
    replaceFile(file, "0");
    await vi.waitFor(() => expect(changed).toHaveBeenCalled(), 20_000);
  });

  it("tells of a change also where this user has no more watches to give, and of none after the end", () => {
    const file = join(mkdtempSync(join(tmpdir(), "ivy-watch-")), "state.json");
    replaceFile(file, "0");
    vi.mocked(watch).mockImplementation(() => {
      throw Object.assign(new Error("too many open files, watch"), { code: "EMFILE" });
    });
    onTestFinished(() => void vi.mocked(watch).mockReset());
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { changed, end } = watched(file);
    replaceFile(file, "1");
    vi.advanceTimersByTime(1_000);
    expect(changed).toHaveBeenCalledTimes(1);
    end();
    vi.advanceTimersByTime(5_000);
    expect(changed).toHaveBeenCalledTimes(1);
  });
});
