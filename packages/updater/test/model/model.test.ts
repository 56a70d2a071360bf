import { describe, expect, it } from "vitest";
import { explore } from "./check.ts";
import { ATTEMPTS, BEHAVIOURS, type Behaviour, MISTAKES, POWER_ATTEMPTS } from "./protocol.ts";

/** None; as few as a healthy version must survive; one more than it takes to use up all attempts. The last include all fewer. */
const NUMBERS_OF_FAULTS = [0, ATTEMPTS - 1, ATTEMPTS + POWER_ATTEMPTS + 1];

/** Every way in which a change to a version that behaves so may end, with any faults. */
const ENDS: Record<Behaviour, string[]> = {
  prompt: ["new, accepted", "old, rejected"],
  slow: ["new, accepted", "old, rejected"],
  crashes: ["old, rejected"],
  hangs: ["old, rejected"],
  flaky: ["new, accepted", "old, rejected"],
  broken: ["old, rejected"],
  reboots: ["old, rejected"],
  outage: ["new, accepted", "old, rejected"],
};

describe("the protocol of a change", () => {
  it.each(BEHAVIOURS)("keeps every invariant and settles, to a version that is: %s", (behaviour) => {
    for (const faults of NUMBERS_OF_FAULTS) {
      const { finding, ends } = explore({ behaviour }, faults);
      expect(finding).toBeUndefined();
      if (faults === 0 && behaviour !== "flaky" && behaviour !== "slow") expect(ends.size).toBe(1);
      expect(ENDS[behaviour]).toEqual(expect.arrayContaining([...ends]));
    }
  });

  it("accepts a healthy version, whatever power cuts come while nobody can reach the broker", () => {
    const { ends } = explore({ behaviour: "outage" }, ATTEMPTS - 1);
    expect([...ends]).toEqual(["new, accepted"]);
  });

  it.each(["prompt", "outage"] as const)(
    "accepts a version that is %s, however it is restarted",
    (behaviour) => {
      const { finding, ends } = explore({ behaviour, stopsOnly: true }, POWER_ATTEMPTS - 1);
      expect(finding).toBeUndefined();
      expect([...ends]).toEqual(["new, accepted"]);
    },
  );

  it.each(MISTAKES)("would be found broken where %s", (mistake) => {
    const found = [0, 1, 2, 3, 4, 5, 6].some((faults) =>
      BEHAVIOURS.some((behaviour) =>
        [false, true].some(
          (stopsOnly) => explore({ behaviour, mistake, stopsOnly }, faults).finding !== undefined,
        ),
      ),
    );
    expect(found).toBe(true);
  });
});
