import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inParallel } from "./change/in-parallel.ts";
import { killDuring, spreadKills, type TimedStep, timeSteps } from "./preparation/kills.ts";
import { openWorkshop, type Workshop } from "./preparation/workshop.ts";

/** More of them are in the soak test; see packages/updater/soak. */
const KILLS = 8;
const AT_ONCE = 4;

describe("a version that is prepared from a git remote and a registry", { timeout: 300_000 }, () => {
  let workshop: Workshop;
  let steps: TimedStep[];
  beforeAll(async () => {
    workshop = await openWorkshop();
    steps = await timeSteps(workshop);
  }, 240_000);
  afterAll(() => workshop[Symbol.asyncDispose]());

  it("is put in force whole, and nothing else is left, whoever is killed meanwhile", async () => {
    const names = ["fetch", "verify", "unpack", "install", "build", "test", "seal"];
    expect(steps.map(({ name }) => name)).toEqual(names);
    const kills = spreadKills(steps, KILLS);
    const outcomes = await inParallel(kills, AT_ONCE, (kill) => killDuring(workshop, kill));
    expect(outcomes.filter(({ problems }) => problems.length > 0)).toEqual([]);
    expect(outcomes.filter(({ met }) => met).length).toBeGreaterThan(KILLS / 2);
  });
});
