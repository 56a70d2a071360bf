import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ProgressWatch } from "../src/progress-watch.ts";
import { PROGRESS_GAP_MS } from "../src/report-progress.ts";

const PATIENCE = { missedIntervals: 5, shortestMs: 60_000, startMs: 600_000 };
const turn = (turns: number, seconds = 10, nextInSeconds = seconds) => ({
  turns,
  intervalMs: seconds * 1_000,
  nextInMs: nextInSeconds * 1_000,
});

function begin() {
  const hung = vi.fn();
  const watch = new ProgressWatch(PATIENCE, hung);
  watch.begin();
  return { watch, hung };
}

/** Milliseconds until it is noticed. */
function noticedAfter(hung: ReturnType<typeof vi.fn>): number {
  const begin = performance.now();
  while (hung.mock.calls.length === 0) vi.advanceTimersToNextTimer();
  return performance.now() - begin;
}

describe("the watch over a loop", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("waits for a slow start, and for a slow first turn", () => {
    const { watch, hung } = begin();
    vi.advanceTimersByTime(599_000);
    watch.progress(turn(0));
    vi.advanceTimersByTime(600_000);
    expect(hung).not.toHaveBeenCalled();
    watch.progress(turn(1));
    expect(noticedAfter(hung)).toBe(10_000 + 60_000 + PROGRESS_GAP_MS);
    expect(hung.mock.calls).toEqual([[75_000]]);
  });

  it("waits no longer than it has to once the first turn is over", () => {
    const { watch, hung } = begin();
    watch.progress(turn(1));
    expect(noticedAfter(hung)).toBe(75_000);
  });

  it("notices a process that never comes to its loop", () => {
    expect(noticedAfter(begin().hung)).toBe(600_000);
  });

  it("waits for so many intervals where they are long", () => {
    const { watch, hung } = begin();
    watch.progress(turn(1, 7_200, 3_600));
    expect(noticedAfter(hung)).toBe((3_600 + 4 * 7_200) * 1_000 + PROGRESS_GAP_MS);
  });

  it("waits for a pause after failures that the loop has told of", () => {
    const { watch, hung } = begin();
    watch.progress(turn(3, 10, 910));
    expect(noticedAfter(hung)).toBe(910_000 + 60_000 + PROGRESS_GAP_MS);
  });

  it("wakes up about once in the time that it waits, however often the loop turns", () => {
    const { watch } = begin();
    const timers = vi.spyOn(globalThis, "setTimeout");
    for (let second = 0; second < 6_000; second++) {
      watch.progress(turn(second + 1, 1));
      vi.advanceTimersByTime(1_000);
    }
    expect(timers.mock.calls.length).toBeLessThan(100);
  });

  it("begins anew where this process has stood still itself", () => {
    const { watch, hung } = begin();
    watch.progress(turn(1));
    const begun = performance.now();
    // A process that goes on after SIGSTOP finds its timer long overdue, and what the other has told still unread.
    vi.spyOn(performance, "now").mockReturnValue(begun + 3_600_000);
    vi.advanceTimersToNextTimer();
    expect(hung).not.toHaveBeenCalled();
    vi.mocked(performance.now).mockRestore();
  });

  it("is over when the process is to end", () => {
    const { watch, hung } = begin();
    watch.progress(turn(1));
    watch.end();
    watch.progress(turn(2));
    vi.advanceTimersByTime(10_000_000);
    expect(hung).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});
