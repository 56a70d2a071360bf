import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { beginWait, progressOf, remainderOf, type Wait } from "../../src/change/wait.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A node that looks each minute whether a wait is over, and starts anew whenever it has been up for some time. */
function waitThrough(waitMs: number, upMinutes: (boot: number) => number) {
  let noted: Wait = beginWait(waitMs, { bootId: "0", ms: 5 * MINUTE });
  let writes = 0;
  for (let [boot, waited] = [0, 0]; boot < 1_000; boot++) {
    for (let minute = 0; minute <= upMinutes(boot); minute++) {
      const now = { bootId: String(boot), ms: 5 * MINUTE + minute * MINUTE };
      const progress = progressOf(noted, now);
      if (progress !== undefined) writes++;
      noted = progress ?? noted;
      expect(remainderOf(noted, now)).toBeLessThanOrEqual(waitMs);
      if (remainderOf(noted, now) === 0) return { boots: boot + 1, waited: waited + minute * MINUTE, writes };
    }
    waited += upMinutes(boot) * MINUTE;
  }
  return undefined;
}

describe("a wait", () => {
  it("is over when its time has passed, on a clock that nobody sets", () => {
    const wait = beginWait(HOUR, { bootId: "a", ms: 1_000 });
    expect(remainderOf(wait, { bootId: "a", ms: 1_000 + HOUR / 2 })).toBe(HOUR / 2);
    expect(remainderOf(wait, { bootId: "a", ms: 1_000 + 2 * HOUR })).toBe(0);
    expect(waitThrough(HOUR, () => 1_000)).toMatchObject({ boots: 1, waited: HOUR });
  });

  it("goes on after a start of the system with what is known to have remained", () => {
    const wait = beginWait(HOUR, { bootId: "a", ms: 9 * HOUR });
    const noted = progressOf(wait, { bootId: "a", ms: 9 * HOUR + 20 * MINUTE }) ?? wait;
    const after = progressOf(noted, { bootId: "b", ms: 1_000 }) ?? noted;
    expect(remainderOf(after, { bootId: "b", ms: 1_000 })).toBe(40 * MINUTE);
    expect(remainderOf(after, { bootId: "b", ms: 1_000 + 40 * MINUTE })).toBe(0);
  });

  it("that is over stays over: a start of the system does not repeat its last minutes", () => {
    const wait = beginWait(10 * MINUTE, { bootId: "a", ms: 0 });
    const over = progressOf(wait, { bootId: "a", ms: 10 * MINUTE }) ?? wait;
    expect(progressOf(over, { bootId: "b", ms: 0 })).toBeUndefined();
    expect(remainderOf(over, { bootId: "b", ms: 0 })).toBe(0);
  });

  it("of six hours comes to its end on a node that starts anew each hour", () => {
    expect(waitThrough(6 * HOUR, () => 60)?.boots).toBeLessThanOrEqual(7);
  });

  it("is never over too soon, loses a quarter of an hour a start at most, and is noted four times an hour", () => {
    const ups = fc.array(fc.integer({ min: 0, max: 180 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 24 * 60 }), ups, (minutes, lengths) => {
        const { boots, waited, writes } =
          waitThrough(minutes * MINUTE, (boot) => lengths[boot] ?? 10_000) ?? expect.fail("never over");
        expect(waited).toBeGreaterThanOrEqual(minutes * MINUTE);
        expect(waited).toBeLessThanOrEqual((minutes + 15 * (boots - 1)) * MINUTE);
        expect(writes).toBeLessThanOrEqual(Math.ceil(minutes / 15) + boots);
      }),
    );
  });
});
