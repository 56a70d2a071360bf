import { expect, it } from "vitest";
import { backOff } from "../src/forward/back-off.ts";

const pauses = (failures: number, refused = false) =>
  Array.from({ length: 1_000 }, () => backOff(failures, refused)).sort((a, b) => a - b);

it("Nodes that have lost a broker at the same time do not come back at the same time", () => {
  const tenths = new Set(pauses(4).map((pause) => Math.floor(pause / 400)));
  expect([...tenths]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

it("The pauses grow with each failure, up to a minute", () => {
  const longest = [1, 2, 3, 8, 50].map((failures) => pauses(failures).at(-1) ?? 0);
  for (const [index, bound] of [500, 1_000, 2_000, 60_000, 60_000].entries()) {
    expect(longest[index]).toBeLessThanOrEqual(bound);
    expect(longest[index]).toBeGreaterThan(0.9 * bound);
  }
});

it("A broker that has refused us is left alone for 10 s at least", () => {
  expect(pauses(1, true)[0]).toBeGreaterThanOrEqual(10_000);
});
