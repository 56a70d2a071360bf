import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { LogFolder } from "../src/log/folder.ts";
import { temporary } from "./support.ts";

vi.mock("node:fs", { spy: true });

const MS_PER_DAY = 86_400_000;
const NOON = Date.UTC(2026, 2, 1, 12);

const { openSync } = await vi.importActual<typeof fs>("node:fs");

/** For files that are not there yet, the file system is full until what it returns is called. */
function refuseNewFiles(): () => void {
  vi.mocked(fs.openSync).mockImplementation((path, flags, mode) => {
    if (flags !== "wx") return openSync(path, flags, mode);
    throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  });
  const relieve = () => void vi.mocked(fs.openSync).mockReset();
  onTestFinished(relieve);
  return relieve;
}

const namesOf = (folder: LogFolder) => folder.list("regular").map(({ name }) => name);

describe("the files of the log", () => {
  it("are begun anew at 32 MiB, so that what is old can go in parts", () => {
    const folder = new LogFolder(temporary());
    const { path } = folder.fileToAppend("regular", NOON);
    fs.truncateSync(path, 32 * 1024 * 1024 - 1);
    expect(folder.fileToAppend("regular", NOON).path).toBe(path);
    fs.truncateSync(path, 32 * 1024 * 1024);
    expect(folder.fileToAppend("regular", NOON).path).toMatch(/2026-03-01\.\d+\.jsonl$/);
  });

  it("are without one that another process removes while they are listed", () => {
    const path = join(temporary(), "messages");
    const writer = new LogFolder(path);
    for (let day = 0; day < 3; day++) writer.fileToAppend("regular", NOON + day * MS_PER_DAY);
    const reader = new LogFolder(path);
    vi.mocked(fs.readdirSync).mockImplementationOnce(((folder: string) => {
      const names = fs.readdirSync(folder);
      fs.rmSync(join(folder, "2026-03-01.jsonl"));
      return names;
    }) as typeof fs.readdirSync);
    expect(namesOf(reader)).toEqual(["2026-03-02.jsonl", "2026-03-03.jsonl"]);
  });

  it("go on with the newest one while there is no room for another, but never with one of another boot", () => {
    const path = join(temporary(), "messages");
    const folder = new LogFolder(path, "first");
    folder.fileToAppend("regular", NOON);
    const relieve = refuseNewFiles();
    expect(folder.fileToAppend("regular", NOON + MS_PER_DAY).name).toBe("2026-03-01.jsonl");
    expect(() => new LogFolder(path, "second").fileToAppend("regular", NOON)).toThrow(/no space left/);
    relieve();
    expect(folder.fileToAppend("regular", NOON + MS_PER_DAY).name).toBe("2026-03-02.jsonl");
  });

  it("have the place of the new one where one is deleted and comes again", () => {
    const path = join(temporary(), "messages");
    const [writer, reader] = [new LogFolder(path), new LogFolder(path)];
    writer.fileToAppend("regular", NOON);
    expect(reader.list("regular").map(({ sequence }) => sequence)).toEqual([1]);
    fs.rmSync(join(path, "2026-03-01.jsonl"));
    expect(namesOf(reader)).toEqual([]);
    writer.fileToAppend("regular", NOON);
    expect(reader.list("regular").map(({ sequence }) => sequence)).toEqual([2]);
  });
});
