import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isInWindow, retryPauseMs, spreadMs } from "../../src/change/schedule.ts";

describe("the turn of a system in its fleet", () => {
  it("is the same each time, and within the time over which the fleet is spread", () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), fc.integer({ min: 1, max: 86_400 }), (system, revision, spread) => {
        const turn = spreadMs(system, revision, spread);
        expect(turn).toBe(spreadMs(system, revision, spread));
        expect(turn).toBeGreaterThanOrEqual(0);
        expect(turn).toBeLessThan(spread * 1_000);
      }),
    );
  });

  it("keeps a fleet of 500 below what a host allows: at most 40 in any twentieth of the time", () => {
    const parts = new Array<number>(20).fill(0);
    for (let node = 0; node < 500; node++) {
      const part = Math.floor(spreadMs(`node-${node}`, 8, 3_600) / 180_000);
      parts[part] = (parts[part] ?? 0) + 1;
    }
    expect(Math.max(...parts)).toBeLessThanOrEqual(40);
    expect(Math.min(...parts)).toBeGreaterThan(0);
  });
});

describe("the pause before what failed for now is tried again", () => {
  it("grows from a minute to six hours, give or take a half", () => {
    expect([1, 2, 3, 20].map((failures) => retryPauseMs(failures, () => 0.5) / 60_000)).toEqual([
      1, 2, 4, 360,
    ]);
    expect([0, 0.999].map((drawn) => Math.round(retryPauseMs(1, () => drawn) / 1_000))).toEqual([30, 90]);
  });
});

describe("the maintenance window", () => {
  const at = (time: string) => new Date(`2026-03-01T${time}:00`);

  it.each([
    ["02:00", "04:00", "02:00", true],
    ["02:00", "04:00", "04:00", false],
    ["02:00", "04:00", "12:00", false],
    ["22:30", "01:00", "23:59", true],
    ["22:30", "01:00", "00:59", true],
    ["22:30", "01:00", "01:00", false],
  ])("from %s to %s holds %s: %s", (from, to, time, inside) => {
    expect(isInWindow({ from, to }, at(time))).toBe(inside);
  });
});
