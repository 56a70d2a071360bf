import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { folderTreeId } from "../../src/source/git-tree.ts";
import { createRepository } from "../../src/testing/repository.ts";
import { makeFolder } from "./support.ts";

describe("the id of the tree of a folder", () => {
  it("is that of git, with executables, links, folders without a file, and names that sort in an odd way", async () => {
    using repository = createRepository();
    using folder = makeFolder({
      "a/file": "a",
      "a.txt": "b",
      "a-b": "c",
      a0: "",
      "ü/ö": "d",
      "B/run.sh": "#!/bin/sh\n",
      large: Buffer.alloc(200_000, 7),
    });
    chmodSync(join(folder.path, "B", "run.sh"), 0o700);
    symlinkSync("a/file", join(folder.path, "link"));
    mkdirSync(join(folder.path, "empty", "also-empty"), { recursive: true });
    expect(await folderTreeId(folder.path)).toBe(repository.release(folder.path, "v1.0.0").tree);
  });

  it("is that of git for whatever names and contents", async () => {
    using repository = createRepository();
    const name = fc.stringMatching(/^[a-zäA-Z0-9_.-]{1,4}$/).filter((text) => !/^\.+(git.*)?$/i.test(text));
    const files = fc.dictionary(
      fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/")),
      fc.string(),
      {
        minKeys: 1,
        maxKeys: 6,
      },
    );
    const fits = (given: Record<string, string>) =>
      Object.keys(given).every((one) => Object.keys(given).every((other) => !other.startsWith(`${one}/`)));
    await fc.assert(
      fc.asyncProperty(files.filter(fits), async (given) => {
        using folder = makeFolder(given);
        expect(await folderTreeId(folder.path)).toBe(repository.release(folder.path, "v1.0.0").tree);
      }),
      { numRuns: 8 },
    );
  });
});
