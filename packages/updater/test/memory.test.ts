import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { killsForMemory } from "../src/steps/kills-for-memory.ts";
import { runStep } from "../src/steps/run-step.ts";

vi.mock("../src/steps/kills-for-memory.ts", { spy: true });

const failing = (step: "build" | "test") =>
  runStep({
    step,
    command: ["/bin/sh", "-c", "exit 1"],
    cwd: tmpdir(),
    env: {},
    timeoutMs: 20_000,
    secrets: [],
    signal: new AbortController().signal,
  });

describe("a step that fails", () => {
  it.each(["build", "test"] as const)("is put off where the memory ran out meanwhile: %s", async (step) => {
    vi.mocked(killsForMemory).mockReturnValueOnce(3).mockReturnValueOnce(4);
    await expect(failing(step)).rejects.toMatchObject({ name: "UpdateDeferredError", code: "IVY_NO_MEMORY" });
  });

  it("is the version's fault where it did not, whatever was killed before", async () => {
    vi.mocked(killsForMemory).mockReturnValueOnce(4).mockReturnValueOnce(4);
    await expect(failing("build")).rejects.toMatchObject({ code: "IVY_BUILD_FAILED" });
  });
});

describe("the processes that the kernel has killed for want of memory", () => {
  it("are counted as it says, and are none where it says nothing", () => {
    const folder = mkdtempSync(join(tmpdir(), "ivy-memory-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "vmstat");
    writeFileSync(file, "drop_slab 0\noom_kill 17\nnuma_hit 9\n");
    expect(killsForMemory(file)).toBe(17);
    writeFileSync(file, "drop_slab 0\n");
    expect(killsForMemory(file)).toBe(0);
    expect(killsForMemory()).toBeGreaterThanOrEqual(0);
  });
});
