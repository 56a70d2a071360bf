import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { proveItself } from "../src/trial.ts";

const PATIENCE = { timeout: 40_000, interval: 500 };

/** A trial of what works, but for what is looked at in the end. */
function startTrial() {
  const attempt = mkdtempSync(join(tmpdir(), "ivy-attempt-"));
  onTestFinished(() => rmSync(attempt, { recursive: true }));
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const trial = {
    served: false,
    blockedMs: 0,
    waitsMs: [] as number[],
    looks: 0,
    dear: 0,
    missingAtLast: [] as string[],
  };
  const unproven = vi.fn();
  let isProven = false;
  const proven = proveItself({
    attempt,
    missing: () => {
      trial.looks++;
      const until = performance.now() + (trial.waitsMs.shift() ?? trial.blockedMs);
      while (performance.now() < until);
      return [];
    },
    missingAtLast: () => {
      trial.dear++;
      return trial.missingAtLast;
    },
    isServed: () => trial.served,
    brokerAnswers: async () => true,
    unproven,
    logger: { info() {}, warning() {} },
    signal: stop.signal,
  }).then((outcome) => {
    isProven = outcome;
    return outcome;
  });
  return { trial, proven, isProven: () => isProven, stop, unproven };
}

describe("a trial of what else works", { timeout: 120_000 }, () => {
  it("is not proven while the event loop is blocked for most of the time, but by a single wait", async () => {
    const { trial, proven, isProven, stop, unproven } = startTrial();
    trial.blockedMs = 1_000;
    await vi.waitFor(() => expect(trial.looks).toBeGreaterThan(1), PATIENCE);
    trial.served = true;
    const { looks } = trial;
    await vi.waitFor(() => expect(trial.looks).toBeGreaterThan(looks + 3), PATIENCE);
    expect(isProven()).toBe(false);
    trial.blockedMs = 0;
    expect(await proven).toBe(true);

    const other = startTrial();
    await vi.waitFor(() => expect(other.trial.looks).toBeGreaterThan(5), PATIENCE);
    other.trial.waitsMs = [2_000];
    await vi.waitFor(() => expect(other.trial.waitsMs).toEqual([]), PATIENCE);
    const before = other.trial.looks;
    other.trial.served = true;
    expect(await other.proven).toBe(true);
    expect(other.trial.looks).toBeLessThan(before + 2);
    stop.abort();
    expect(unproven).not.toHaveBeenCalled();
  });

  it("looks at what is dear only when nothing else is missing, and tells at its end what was missing", async () => {
    const { trial, proven, stop, unproven } = startTrial();
    trial.missingAtLast.push("the way back");
    await vi.waitFor(() => expect(trial.looks).toBeGreaterThan(2), PATIENCE);
    expect(trial.dear).toBe(0);
    trial.served = true;
    await vi.waitFor(() => expect(trial.dear).toBeGreaterThan(1), PATIENCE);
    stop.abort();
    expect(await proven).toBe(false);
    expect(unproven.mock.calls).toEqual([[["the way back"]]]);
  });
});
