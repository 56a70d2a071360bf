import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { RootPaths } from "../src/root/paths.ts";
import { switchPointer } from "../src/root/pointers.ts";
import { selfCheck } from "../src/self-check.ts";
import { addGeneration, emptyRoot } from "./root/root.ts";

/** Generation 8 on trial, beside generation 7, which has proven itself. */
async function onTrial() {
  const paths = emptyRoot();
  const old = await addGeneration(paths, 7);
  const generation = await addGeneration(paths, 8);
  switchPointer(paths, "lastGood", old);
  switchPointer(paths, "active", generation);
  return { paths, old, generation };
}

describe("the self-check of the updater", () => {
  it("finds nothing where the next change could be received, and taken back", async () => {
    expect(selfCheck(await onTrial())).toEqual([]);
  });

  it("finds a configuration in force that would not be understood if it were a foreign one", async () => {
    const { paths, generation } = await onTrial();
    writeFileSync(join(paths.generations, generation, "config.json"), '{ "general": {} }\n');
    expect(selfCheck({ paths, generation })).toEqual([
      expect.stringMatching(/^the updater cannot read the configuration in force: .*config_revision/s),
    ]);
  });

  it.each<[string, (paths: RootPaths, old: string) => void, RegExp]>([
    ["names nothing", (paths) => rmSync(paths.lastGood), /^last-good names no generation$/],
    [
      "names one with records that cannot be read",
      (paths, old) => appendFileSync(join(paths.generations, old, "gen.json"), "}"),
      /^the updater cannot read 7-.*, which last-good names$/,
    ],
    [
      "names one with another configuration than that which was sealed",
      (paths, old) => appendFileSync(join(paths.generations, old, "config.json"), " "),
      /^the updater cannot read 7-.*, which last-good names$/,
    ],
  ])("finds that last-good %s", async (_, damage, lack) => {
    const { paths, old, generation } = await onTrial();
    damage(paths, old);
    expect(selfCheck({ paths, generation })).toEqual([expect.stringMatching(lack)]);
  });
});
