import { configDigest } from "@ivy/types";
import { describe, expect, it } from "vitest";
import { type Candidate, nextStep, type Running } from "../src/next-step.ts";

const running: Running = { config: configuration(7, "2.0.0"), version: "2.0.0" };

function configuration(config_revision: number, software_version = "2.0.0", extra = {}) {
  return { general: { config_revision, software_version }, ...extra };
}

function candidate(config: ReturnType<typeof configuration>, damage?: string): Candidate {
  return { config, digest: configDigest(config), ...(damage === undefined ? {} : { damage }) };
}

describe("the next step", () => {
  it("is nothing where nothing waits", () => {
    expect(nextStep(running, [])).toBeUndefined();
  });

  it("is to apply the newest of several", () => {
    const [low, high] = [candidate(configuration(8)), candidate(configuration(9))];
    expect(nextStep(running, [low, high])).toEqual({ action: "apply", candidate: high });
    expect(nextStep(running, [high, low])).toEqual({ action: "apply", candidate: high });
  });

  it("is to finish what is in force already", () => {
    const same = candidate(configuration(7));
    expect(nextStep(running, [same])).toEqual({ action: "finish", candidate: same });
  });

  it.each([
    ["a lower revision", candidate(configuration(6)), /revision 6 is lower than revision 7/],
    [
      "the same revision with another content",
      candidate(configuration(7, "2.0.0", { a: 1 })),
      /another content/,
    ],
    ["another version", candidate(configuration(8, "3.0.0")), /version 3\.0\.0; this node runs 2\.0\.0/],
    [
      "a damaged file",
      candidate(configuration(8), "does not hold what arrived"),
      /does not hold what arrived/,
    ],
  ])("is to reject %s", (_, wrong, reason) => {
    expect(nextStep(running, [wrong])).toMatchObject({
      action: "reject",
      reason: expect.stringMatching(reason),
    });
  });

  it("takes the version that the running configuration names for its own, as one of Python Ivy does", () => {
    const old: Running = { config: configuration(7, "1.1.0"), version: "2.0.0" };
    expect(nextStep(old, [candidate(configuration(8, "1.1.0"))])?.action).toBe("apply");
    expect(nextStep(old, [candidate(configuration(8, "2.0.0"))])?.action).toBe("apply");
  });
});
