import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { prepareVersion } from "../../src/change/prepare-version.ts";
import { versionFolder } from "../../src/root/paths.ts";
import { switchPointer } from "../../src/root/pointers.ts";
import { addGeneration, configOf, emptyRoot, writeVersion } from "../root/root.ts";

describe("a preparation", () => {
  it("deletes what others have left, and leaves nothing of its own", async () => {
    const paths = emptyRoot();
    const active = await addGeneration(paths, 1);
    for (const pointer of ["active", "lastGood"] as const) switchPointer(paths, pointer, active);
    const left = [
      join(paths.stage, "1-superseded"),
      join(paths.trash, "cut-off"),
      writeVersion(paths, "2.0.0"),
    ];
    for (const folder of left) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "file"), "x");
    }
    const archive = join(paths.root, "nothing.tar.gz");
    const running = versionFolder(paths, "1.0.0");
    const request = {
      paths,
      version: "2.0.0",
      txid: "2-t",
      config: configOf(2, "2.0.0"),
      running,
      secrets: [],
      archive,
    };
    const preparing = prepareVersion(request, {
      signal: new AbortController().signal,
      onStep: () => undefined,
    });
    await expect(preparing).rejects.toMatchObject({ code: "IVY_ARCHIVE_NOT_FOUND" });
    expect(readdirSync(paths.stage)).toEqual([]);
    expect(readdirSync(paths.trash)).toEqual([]);
    expect(existsSync(versionFolder(paths, "2.0.0"))).toBe(false);
  });
});
