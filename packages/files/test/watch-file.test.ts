import { mkdtempSync } from "node:fs";
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

describe("watchFile", () => {
  it("tells of every replacement, not only the first", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "ivy-watch-")), "state.json");
    replaceFile(file, "0");
    const { changed } = watched(file);
    for (let round = 1; round <= 3; round++) {
      const before = changed.mock.calls.length;
      replaceFile(file, String(round));
      await vi.waitFor(() => expect(changed.mock.calls.length).toBeGreaterThan(before));
    }
  });

  it("tells of a file that appears later", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "ivy-watch-")), "state.json");
    const { changed } = watched(file);
    replaceFile(file, "0");
    await vi.waitFor(() => expect(changed).toHaveBeenCalled(), 5_000);
  });
});
