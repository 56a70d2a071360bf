import { configDigest } from "@ivy/types";
import { describe, expect, it } from "vitest";
import {
  type Candidate,
  nextStep as nextStepOf,
  type Running,
  type VerdictOn,
} from "../../src/change/next-step.ts";

const running: Running = { config: configuration(7, "2.0.0"), version: "2.0.0", allowDowngrade: false };

function configuration(config_revision: number, software_version = "2.0.0", extra = {}) {
  return { general: { config_revision, software_version }, ...extra };
}

function candidate(config: ReturnType<typeof configuration>, damage?: string): Candidate {
  return { config, digest: configDigest(config), file: "", ...(damage === undefined ? {} : { damage }) };
}

function nextStep(how: Running, candidates: Candidate[], verdictOn: VerdictOn = () => undefined) {
  return nextStepOf(how, candidates, { verdictOn });
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
    expect(nextStep(running, [candidate(configuration(8)), same])?.action).toBe("finish");
  });

  it("is to reject what has failed in its trial, with its verdict, before anything newer is looked at", () => {
    const [failed, newer] = [candidate(configuration(8)), candidate(configuration(9))];
    const verdictOn: VerdictOn = (one) => (one === failed ? "exited" : undefined);
    expect(nextStep(running, [newer, failed], verdictOn)).toEqual({
      action: "reject",
      candidate: failed,
      reason: "exited",
    });
  });

  it.each([
    ["a lower revision", candidate(configuration(6)), /revision 6 is lower than revision 7/],
    [
      "the same revision with another content",
      candidate(configuration(7, "2.0.0", { a: 1 })),
      /another content/,
    ],
    [
      "a lower version",
      candidate(configuration(8, "1.9.0")),
      /1\.9\.0; this node runs 2\.0\.0 and must not go back/,
    ],
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

  it("is to change the version, where it can be changed", () => {
    const other = candidate(configuration(8, "3.0.0"));
    expect(nextStep(running, [other])?.action).toBe("apply");
    expect(nextStep({ ...running, fixed: "is a checkout" }, [other])).toMatchObject({
      action: "reject",
      reason: "it is for version 3.0.0; this node runs 2.0.0 and is a checkout",
    });
    const lower = candidate(configuration(8, "1.9.0"));
    expect(nextStep({ ...running, allowDowngrade: true }, [lower])?.action).toBe("apply");
  });

  it("takes another content with the same revision from somebody at the node only", () => {
    const other = candidate(configuration(7, "2.0.0", { a: 1 }));
    expect(nextStep(running, [{ ...other, local: true }])?.action).toBe("apply");
    expect(nextStep(running, [other])?.action).toBe("reject");
  });

  it("takes the version that the running configuration names for its own, as one of Python Ivy does", () => {
    const old: Running = { ...running, config: configuration(7, "1.1.0") };
    expect(nextStep(old, [candidate(configuration(8, "1.1.0"))])?.action).toBe("apply");
    expect(nextStep(old, [candidate(configuration(8, "2.0.0"))])?.action).toBe("apply");
  });
});
