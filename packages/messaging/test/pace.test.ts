import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Pace } from "../src/forward/pace.ts";

/** A clock that stands until it is set on. */
function clock() {
  let time = 0;
  const goOn = (ms: number) => {
    time += ms;
  };
  return { now: () => time, goOn };
}

describe("a pace", () => {
  it("lets a count through at once, and more when the first of them is as old as the period", () => {
    const { now, goOn } = clock();
    const pace = new Pace({ count: 3, seconds: 2 }, now);
    pace.take(1);
    goOn(500);
    pace.take(2);
    expect([pace.available, pace.waitFor(1), pace.waitFor(2)]).toEqual([0, 1_500, 2_000]);
    goOn(1_500);
    expect([pace.available, pace.waitFor(1), pace.waitFor(2)]).toEqual([1, 0, 500]);
  });

  it("lets what is larger than the count through once nothing else counts", () => {
    const { now, goOn } = clock();
    const pace = new Pace({ count: 3, seconds: 1 }, now);
    expect(pace.waitFor(10)).toBe(0);
    pace.take(10);
    expect([pace.available, pace.waitFor(1), pace.waitFor(10)]).toEqual([0, 1_000, 1_000]);
    goOn(1_000);
    expect(pace.waitFor(10)).toBe(0);
  });

  const attempts = fc.array(fc.tuple(fc.integer({ min: 0, max: 700 }), fc.integer({ min: 1, max: 9 })), {
    maxLength: 200,
  });
  const rates = fc.record({ count: fc.integer({ min: 9, max: 40 }), seconds: fc.constantFrom(0.1, 1, 3) });

  it("never lets more than the count through in any span of the period, and keeps its promises", () => {
    fc.assert(
      fc.property(rates, attempts, (rate, steps) => {
        const { now, goOn } = clock();
        const pace = new Pace(rate, now);
        const taken: { at: number; amount: number }[] = [];
        for (const [pause, amount] of steps) {
          goOn(pause);
          goOn(pace.waitFor(amount));
          expect(pace.waitFor(amount)).toBe(0);
          expect(pace.available).toBeGreaterThanOrEqual(amount);
          pace.take(amount);
          taken.push({ at: now(), amount });
        }
        for (const { at: begin } of taken) {
          const within = taken.filter(({ at }) => at >= begin && at < begin + rate.seconds * 1_000);
          expect(within.reduce((sum, { amount }) => sum + amount, 0)).toBeLessThanOrEqual(rate.count);
        }
      }),
    );
  });

  it("gives away little of the rate", () => {
    const { now, goOn } = clock();
    const pace = new Pace({ count: 500, seconds: 1 }, now);
    let taken = 0;
    for (; now() < 60_000; goOn(Math.max(1, pace.waitFor(1)))) {
      const amount = Math.min(7, pace.available);
      pace.take(amount);
      taken += amount;
    }
    expect(taken).toBeGreaterThan(0.97 * 500 * 60);
  });
});
