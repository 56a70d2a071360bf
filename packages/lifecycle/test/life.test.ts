import type { ChildProcess } from "node:child_process";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Life } from "../src/life.ts";

const PATIENCE = { missedIntervals: 2, shortestMs: 1_000, startMs: 60_000 };
const counts = { stored: 0, storedBytes: 0, acknowledged: 0 };

function begin() {
  const kill = vi.fn();
  const hung = vi.fn();
  const child = { pid: 2 ** 22, kill } as unknown as ChildProcess;
  const life = new Life(child, { members: ["a", "b"], patience: PATIENCE, secrets: ["canary"], hung });
  const turn = (name: string, turns: number) => {
    const intervalMs = 10_000;
    life.note({
      kind: "progress",
      name,
      counts,
      at: 0,
      turns,
      failures: 0,
      intervalMs,
      nextInMs: intervalMs,
    });
  };
  return { life, kill, hung, turn };
}

describe("the life of a process with several members", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("ends for the one that makes no progress, whatever the others do, and once", () => {
    const { life, kill, hung, turn } = begin();
    for (let turns = 1; hung.mock.calls.length === 0; turns++) {
      turn("a", turns);
      if (turns === 1) turn("b", turns);
      vi.advanceTimersByTime(10_000);
    }
    expect(hung.mock.calls).toEqual([["b", 25_000]]);
    expect(life.hung).toEqual({ name: "b", silentMs: 25_000 });
    expect(kill.mock.calls).toEqual([["SIGTERM"]]);
    vi.advanceTimersByTime(4_000);
    turn("a", 9);
    expect(hung).toHaveBeenCalledTimes(1);
    life.unwatch();
  });

  it("waits for the start of each by itself", () => {
    const { life, hung, turn } = begin();
    for (let turns = 1; turns <= 6; turns++) {
      turn("a", turns);
      vi.advanceTimersByTime(10_000);
    }
    expect(hung.mock.calls).toEqual([["b", 60_000]]);
    expect([life.progressOf("a")?.turns, life.progressOf("b")]).toEqual([6, undefined]);
    life.unwatch();
  });

  it("keeps the first reason that it gives for its end: the next ones may follow from it", () => {
    const { life } = begin();
    life.note({ kind: "error", name: "b", text: "the sensor is gone" });
    life.note({ kind: "error", name: "a", text: "interrupted" });
    expect(life.error).toEqual({ name: "b", text: "the sensor is gone" });
    life.unwatch();
  });
});
