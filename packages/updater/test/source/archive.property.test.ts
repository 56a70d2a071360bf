import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ArchiveEntry, makeArchive } from "../../src/testing/make-archive.ts";
import { unpack } from "./support.ts";

const CODES = ["IVY_ARCHIVE_ENTRY", "IVY_ARCHIVE_PATH", "IVY_ARCHIVE_TOO_LARGE", "IVY_ARCHIVE_DAMAGED"];

const part = fc.constantFrom(
  "a",
  "b",
  "c.ts",
  "..",
  ".",
  "",
  ".git",
  "\u0001",
  "ü",
  "x".repeat(60),
  "\\",
  "top",
);
const path = fc.tuple(
  fc.constantFrom("top/", "top/", "top/", "/", "../", ""),
  fc.array(part, { minLength: 1, maxLength: 4 }),
);
const entry: fc.Arbitrary<ArchiveEntry> = fc.record({
  path: path.map(([start, parts]) => `${start}${parts.join("/")}` || "top"),
  type: fc.constantFrom(
    "File",
    "File",
    "File",
    "Directory",
    "SymbolicLink",
    "Link",
    "FIFO",
    "CharacterDevice",
    "OldFile",
  ),
  linkpath: fc.constantFrom("../..", "/etc", "a"),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  content: fc.uint8Array({ maxLength: 1_000 }),
});

describe("an archive of whatever kind", () => {
  it("is either unpacked as a whole into the one folder, or refused and leaves nothing behind", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { minLength: 1, maxLength: 6 }), async (entries) => {
        const { code, left } = await unpack(makeArchive(entries));
        if (code === "unpacked")
          expect(left.every((name) => name === "src" || name.startsWith("src/"))).toBe(true);
        else
          expect({ code, left }).toEqual({
            code: expect.toSatisfy((given) => CODES.includes(given)),
            left: [],
          });
      }),
      { numRuns: 300 },
    );
  });

  it("is never unpacked as anything else when bytes of it are altered or lost", async () => {
    const files = { "top/a": "content of a\n".repeat(100), "top/b/c": "content of c\n" };
    const good = makeArchive(Object.entries(files).map(([path, content]) => ({ path, content })));
    const { treeId } = await unpack(good);
    const at = fc.integer({ min: 0, max: good.length - 1 });
    await fc.assert(
      fc.asyncProperty(at, fc.integer({ min: 1, max: 255 }), fc.boolean(), async (index, difference, cut) => {
        const altered = cut ? good.subarray(0, index) : Buffer.from(good);
        if (!cut) altered[index] = (altered[index] ?? 0) ^ difference;
        const result = await unpack(altered, { tree: treeId });
        if (result.code === "unpacked") expect(result.treeId).toBe(treeId);
        else expect(result.left).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
