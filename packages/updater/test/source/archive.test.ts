import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type ArchiveEntry, makeArchive } from "../../src/testing/make-archive.ts";
import { unpack } from "./support.ts";

const GOOD: ArchiveEntry[] = [
  { path: "ivy-4.5.6/", type: "Directory" },
  { path: "ivy-4.5.6/package.json", content: "{}" },
  { path: "ivy-4.5.6/bin/run", content: "#!/bin/sh\n", mode: 0o775 },
];

/** A good archive with one more entry in its middle. */
const withEntry = (entry: ArchiveEntry) => makeArchive([...GOOD.slice(0, 2), entry, ...GOOD.slice(2)]);

describe("the archive of a release", () => {
  it("is unpacked without the folder that holds everything", async () => {
    const { code, left } = await unpack(makeArchive(GOOD));
    expect({ code, left }).toEqual({
      code: "unpacked",
      left: ["src", "src/bin", "src/bin/run", "src/package.json"],
    });
  });

  it.each<[string, string, ArchiveEntry]>([
    [
      "a link out of the tree",
      "IVY_ARCHIVE_ENTRY",
      { path: "ivy-4.5.6/a", type: "SymbolicLink", linkpath: "/etc" },
    ],
    [
      "a link within the tree",
      "IVY_ARCHIVE_ENTRY",
      { path: "ivy-4.5.6/a", type: "SymbolicLink", linkpath: "bin" },
    ],
    ["a hard link", "IVY_ARCHIVE_ENTRY", { path: "ivy-4.5.6/a", type: "Link", linkpath: "/etc/passwd" }],
    ["a character device", "IVY_ARCHIVE_ENTRY", { path: "ivy-4.5.6/a", type: "CharacterDevice" }],
    ["a block device", "IVY_ARCHIVE_ENTRY", { path: "ivy-4.5.6/a", type: "BlockDevice" }],
    ["a pipe", "IVY_ARCHIVE_ENTRY", { path: "ivy-4.5.6/a", type: "FIFO" }],
    ["a kind that nobody knows", "IVY_ARCHIVE_ENTRY", { path: "ivy-4.5.6/a", type: "SparseFile" }],
    ["an absolute name", "IVY_ARCHIVE_PATH", { path: "/etc/cron.d/a" }],
    ["a name that leads out", "IVY_ARCHIVE_PATH", { path: "ivy-4.5.6/../../a" }],
    ["a name that leads out at once", "IVY_ARCHIVE_PATH", { path: "../a" }],
    ["a name that goes in and out", "IVY_ARCHIVE_PATH", { path: "ivy-4.5.6/b/../a" }],
    ["a second folder beside the first", "IVY_ARCHIVE_PATH", { path: "other/a" }],
    ["a file beside the folder", "IVY_ARCHIVE_PATH", { path: "a" }],
    ["a file of git", "IVY_ARCHIVE_PATH", { path: "ivy-4.5.6/.git/hooks/post-checkout" }],
    ["a file of git in other letters", "IVY_ARCHIVE_PATH", { path: "ivy-4.5.6/b/.GiT" }],
    ["a file twice", "IVY_ARCHIVE_PATH", { path: "ivy-4.5.6/package.json" }],
    ["a file below a file", "IVY_ARCHIVE_PATH", { path: "ivy-4.5.6/package.json/a" }],
    ["a file in the place of a folder", "IVY_ARCHIVE_PATH", { path: "ivy-4.5.6/bin" }],
  ])("is refused with %s, and leaves nothing behind", async (_what, code, entry) => {
    expect(await unpack(withEntry(entry))).toMatchObject({ code, rejected: true, left: [] });
  });

  it("is refused with a path that is too long for any file system", async () => {
    const long = Array.from({ length: 60 }, () => "folder-of-twenty-byte").join("/");
    const header = `path=ivy-4.5.6/${long}/a\n`;
    const record = `${header.length + 5} ${header}`;
    const archive = makeArchive([
      { path: "pax", type: "ExtendedHeader", content: record },
      { path: "ivy-4.5.6/short", content: "a" },
    ]);
    expect(await unpack(archive)).toMatchObject({ code: "IVY_ARCHIVE_PATH", left: [] });
  });

  it("is refused if more comes out of it than may, however little goes in", async () => {
    const bomb = withEntry({ path: "ivy-4.5.6/zeros", content: Buffer.alloc(20_000_000) });
    expect(bomb.length).toBeLessThan(30_000);
    const limits = { unpackedBytes: 1_000_000 };
    expect(await unpack(bomb, { limits })).toMatchObject({
      code: "IVY_ARCHIVE_TOO_LARGE",
      rejected: true,
      left: [],
    });
  });

  it("is refused if it has more entries than may be, also such that make no file", async () => {
    const limits = { entries: 100 };
    const many = (of: (index: number) => ArchiveEntry) =>
      makeArchive([...GOOD, ...Array.from({ length: 200 }, (_, i) => of(i))]);
    const files = many((index) => ({ path: `ivy-4.5.6/${index}` }));
    const folders = many(() => ({ path: "ivy-4.5.6/bin", type: "Directory" }));
    const notes = many((index) => ({
      path: `note-${index}`,
      type: "ExtendedHeader",
      content: "11 uname=a\n",
    }));
    const deep = makeArchive([
      { path: `ivy-4.5.6/${"d/".repeat(40)}a` },
      { path: `ivy-4.5.6/${"e/".repeat(40)}a` },
      { path: `ivy-4.5.6/${"f/".repeat(40)}a` },
    ]);
    for (const archive of [files, folders, notes, deep]) {
      expect(await unpack(archive, { limits })).toMatchObject({ code: "IVY_ARCHIVE_TOO_LARGE", left: [] });
    }
  });

  it.each<[string, Buffer]>([
    ["cut off", makeArchive(GOOD).subarray(0, -30)],
    ["cut off before it was compressed", gzipSync(gunzipSync(makeArchive(GOOD)).subarray(0, 1_200))],
    ["not compressed with gzip", Buffer.from("<html>please sign in</html>")],
    ["compressed, but no tar file", gzipSync("<html>please sign in</html>")],
    ["compressed twice", gzipSync(makeArchive(GOOD))],
    ["empty", Buffer.alloc(0)],
    ["without a file", makeArchive(GOOD.slice(0, 1))],
  ])("is fetched anew if it is %s", async (_what, archive) => {
    expect(await unpack(archive)).toMatchObject({ code: "IVY_ARCHIVE_DAMAGED", rejected: false, left: [] });
  });

  it("is refused if its tree, its commit or its bytes are not those that were expected", async () => {
    const archive = makeArchive(GOOD);
    const digest = "0".repeat(40);
    expect(await unpack(archive, { tree: digest })).toMatchObject({ code: "IVY_TREE_MISMATCH", left: [] });
    expect(await unpack(archive, { sha256: "0".repeat(64) })).toMatchObject({
      code: "IVY_ARCHIVE_MISMATCH",
      left: [],
    });
    const comment = `52 comment=${"1".repeat(40)}\n`;
    const noted = makeArchive([
      { path: "pax_global_header", type: "GlobalExtendedHeader", content: comment },
      ...GOOD,
    ]);
    expect(await unpack(noted, { commit: digest })).toMatchObject({ code: "IVY_COMMIT_MISMATCH", left: [] });
  });
});
