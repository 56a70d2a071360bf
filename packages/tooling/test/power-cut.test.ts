import { describe, expect, it } from "vitest";
import type { Call } from "../src/file-faults/calls.ts";
import { diskAfterCut, type Fate, nothingLost } from "../src/file-faults/disk.ts";
import { readRecording } from "../src/file-faults/recording.ts";

/** All that is not synced is lost. */
const everythingLost: Fate = {
  journal: (least) => least,
  file: () => ({ sector: (least) => least, size: (least) => least }),
};

/** The folder after these calls, as text. */
function left(calls: Call[], fate: Fate): Record<string, string | undefined> {
  const disk = diskAfterCut(readRecording(calls), calls.length, fate);
  const text = (content: Buffer | { target: string } | undefined) =>
    Buffer.isBuffer(content) || content === undefined ? content?.toString() : `-> ${content.target}`;
  return Object.fromEntries([...disk].map(([path, content]) => [path, text(content)]));
}

const create = (inode: number, path: string): Call => ({ kind: "create", inode, path });
const write = (inode: number, offset: number, text: string): Call => ({
  kind: "write",
  inode,
  offset,
  bytes: Buffer.from(text),
});
const sync = (inode: number, begun: number, kind: "fsync" | "fdatasync" = "fdatasync"): Call => ({
  kind,
  inode,
  begun,
});
const rename = (from: string, to: string): Call => ({ kind: "rename", from, to });
const FOLDER = 1;

describe("what a power cut leaves", () => {
  it("is what was written before a sync began, and the file's name with it", () => {
    const calls = [create(2, "a"), write(2, 0, "old"), write(2, 3, "new"), sync(2, 2)];
    expect(left(calls, everythingLost)).toEqual({ a: "old" });
    expect(left(calls, nothingLost)).toEqual({ a: "oldnew" });
    expect(left(calls.slice(0, 3), everythingLost)).toEqual({});
  });

  it("is each sector for itself, as it was after any of the writes to it", () => {
    const calls = [create(2, "a"), write(2, 0, "x".repeat(1024)), sync(2, 2), write(2, 0, "y".repeat(1024))];
    const onlySecond: Fate = {
      journal: (_, most) => most,
      file: () => {
        let sectors = 0;
        return { sector: (least, most) => (sectors++ === 1 ? most : least), size: (_, most) => most };
      },
    };
    expect(left(calls, onlySecond)).toEqual({ a: "x".repeat(512) + "y".repeat(512) });
  });

  it("is a renamed file under its new name once it or the folder is synced, not once its data are", () => {
    const calls = [create(2, "a"), write(2, 0, "1"), sync(2, 2), rename("a", "b")];
    expect(left([...calls, sync(2, 4, "fdatasync")], everythingLost)).toEqual({ a: "1" });
    expect(left([...calls, sync(2, 4, "fsync")], everythingLost)).toEqual({ b: "1" });
    expect(left([...calls, sync(FOLDER, 4, "fsync")], everythingLost)).toEqual({ b: "1" });
  });

  it("is an empty file under the new name if only the folder is synced", () => {
    const calls = [create(2, "a"), write(2, 0, "1"), rename("a", "b"), sync(FOLDER, 3, "fsync")];
    expect(left(calls, everythingLost)).toEqual({ b: "" });
  });

  it("is every earlier change of names, where a file that has grown since is synced", () => {
    const calls = [create(2, "a"), rename("a", "b"), create(3, "c"), write(3, 0, "1"), sync(3, 4)];
    expect(left(calls, everythingLost)).toEqual({ b: "", c: "1" });
  });

  it("is nothing of what was written behind a truncation that is not kept", () => {
    const calls: Call[] = [
      create(2, "a"),
      write(2, 0, "long content"),
      sync(2, 2),
      { kind: "truncate", inode: 2, size: 4 },
      write(2, 4, "er"),
    ];
    expect(left(calls, { ...nothingLost, journal: (least) => least })).toEqual({ a: "long content" });
    expect(left(calls, nothingLost)).toEqual({ a: "longer" });
  });

  it("knows a number that is given to a new file for that of another, and two names of one file", () => {
    const calls: Call[] = [
      create(2, "a"),
      write(2, 0, "1"),
      { kind: "unlink", path: "a" },
      create(2, "b"),
      write(2, 0, "2"),
      { kind: "link", from: "b", to: "c" },
      rename("b", "c"),
    ];
    expect(left(calls, nothingLost)).toEqual({ b: "2", c: "2" });
  });

  it("is everything that was written before a sync of the whole file system began", () => {
    const calls: Call[] = [
      create(2, "a"),
      write(2, 0, "1"),
      { kind: "symlink", path: "b", target: "a" },
      { kind: "syncfs", begun: 3 },
      rename("b", "c"),
      write(2, 1, "2"),
    ];
    expect(left(calls, everythingLost)).toEqual({ a: "1", b: "-> a" });
    expect(left(calls, nothingLost)).toEqual({ a: "12", c: "-> a" });
  });
});
