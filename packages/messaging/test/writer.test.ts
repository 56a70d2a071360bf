import * as fs from "node:fs";
import { expect, it, vi } from "vitest";
import { LogFolder } from "../src/log/folder.ts";
import { LogWriter } from "../src/log/writer.ts";
import { temporary } from "./support.ts";

vi.mock("node:fs", { spy: true });

const MS_PER_DAY = 86_400_000;
const line = Buffer.from("a line\n");

function create() {
  const clock = { now: Date.parse("2026-03-01T12:00:00Z") };
  const writer = new LogWriter(new LogFolder(temporary(), "boot"), "regular", () => clock.now);
  vi.clearAllMocks();
  return { writer, clock };
}

it("a sync waits for the sync of the file that was left, and the add that left it does not", async () => {
  const { writer, clock } = create();
  writer.append(line);
  vi.clearAllMocks();
  clock.now += MS_PER_DAY;
  const ended: (() => void)[] = [];
  vi.mocked(fs.fdatasync).mockImplementationOnce((_descriptor, done) => void ended.push(() => done(null)));
  writer.append(line);
  expect(fs.fdatasyncSync).not.toHaveBeenCalled();
  const synced = vi.fn();
  const syncing = writer.sync().then(synced);
  await vi.waitFor(() => expect(ended).toHaveLength(1));
  expect(synced).not.toHaveBeenCalled();
  expect(fs.fdatasyncSync).not.toHaveBeenCalled();
  ended[0]?.();
  await syncing;
  expect(fs.fdatasyncSync).toHaveBeenCalledTimes(1);
  writer.close();
});

it("a file that was left and could not be synced is told to whoever asks for a sync next, once", async () => {
  const { writer, clock } = create();
  writer.append(line);
  clock.now += MS_PER_DAY;
  const failure = Object.assign(new Error("i/o error"), { code: "EIO" });
  vi.mocked(fs.fdatasync).mockImplementationOnce((_descriptor, done) => done(failure));
  writer.append(line);
  await new Promise(setImmediate);
  await expect(writer.sync()).rejects.toThrow(/2026-03-01\.jsonl.*i\/o error/);
  await expect(writer.sync()).resolves.toBeUndefined();
  writer.close();
});

it("nothing is synced when a file is left of which all is on the disk", async () => {
  const { writer, clock } = create();
  writer.append(line);
  await writer.sync();
  vi.clearAllMocks();
  clock.now += MS_PER_DAY;
  writer.append(line);
  await new Promise(setImmediate);
  expect(fs.fdatasync).not.toHaveBeenCalled();
  expect(fs.fdatasyncSync).not.toHaveBeenCalled();
  writer.close();
});
