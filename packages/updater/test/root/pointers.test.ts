import { mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readPointer, switchPointer } from "../../src/root/pointers.ts";
import { emptyRoot } from "./root.ts";

describe("a pointer", () => {
  it("names the generation that it was switched to last, with no draft left beside it", () => {
    const paths = emptyRoot();
    for (const name of ["1-a-1.0.0", "2-b-1.0.0"])
      mkdirSync(join(paths.generations, name), { recursive: true });
    switchPointer(paths, "active", "1-a-1.0.0");
    switchPointer(paths, "lastGood", "1-a-1.0.0");
    switchPointer(paths, "active", "2-b-1.0.0");
    expect(readPointer(paths, "active")).toBe("2-b-1.0.0");
    expect(readPointer(paths, "lastGood")).toBe("1-a-1.0.0");
    expect(readlinkSync(paths.active)).toBe(".ivy/gen/2-b-1.0.0");
    expect(readdirSync(paths.root).sort()).toEqual([".ivy", "active", "ivy-cli.sh", "last-good"]);
  });

  it("names nothing where it is missing, leads nowhere, or is no link", () => {
    const paths = emptyRoot();
    expect(readPointer(paths, "active")).toBeUndefined();
    symlinkSync(".ivy/gen/7-a-1.0.0", paths.active);
    expect(readPointer(paths, "active")).toBeUndefined();
    rmSync(paths.active);
    writeFileSync(paths.active, "");
    expect(readPointer(paths, "active")).toBeUndefined();
  });
});
