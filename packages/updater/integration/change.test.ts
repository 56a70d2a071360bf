import { hasCompiler } from "@ivy/tooling/file-faults";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChangeName } from "./change/changes.ts";
import { countCalls, cutPowerAt, killBefore, recordChange } from "./change/faults.ts";
import { inParallel } from "./change/in-parallel.ts";
import { Stage } from "./change/stage.ts";

/** All of them are in the soak test; see packages/updater/soak. */
const KILLS = 4;
const CUTS = 5;
const AT_ONCE = 4;

const CHANGES: [ChangeName, string][] = [
  ["a version that works", "accepted"],
  ["a version that exits at once", "rejected"],
];

describe.skipIf(!hasCompiler)("a change to (needs cc)", { timeout: 300_000 }, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.build();
  });
  afterAll(() => stage[Symbol.dispose]());

  it.concurrent.each(CHANGES)("%s, killed before any call, settles as %s", async (change, end) => {
    await using template = stage.take();
    template.setUp(change);
    const calls = await countCalls(stage, template);
    const places = Array.from(
      { length: KILLS },
      (_, index) => 1 + Math.floor(((index + 0.5) / KILLS) * calls),
    );
    const outcomes = await inParallel(places, AT_ONCE, (call) => killBefore(stage, template, change, call));
    expect(outcomes.map((outcome, index) => ({ ...outcome, call: places[index] }))).toEqual(
      places.map((call) => ({ end, problems: [], call })),
    );
  });

  it.concurrent.each(CHANGES)("%s, with the power cut at any call, settles as %s", async (change, end) => {
    const recording = await recordChange(stage, change);
    const seeds = Array.from({ length: CUTS }, (_, index) => index + 1);
    const outcomes = await inParallel(seeds, AT_ONCE, (seed) => cutPowerAt(stage, change, recording, seed));
    expect(outcomes).toEqual(outcomes.map(({ at }) => ({ at, end, problems: [] })));
  });
});
