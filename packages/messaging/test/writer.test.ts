import * as fs from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { MessagingAgent } from "../src/index.ts";
import { LogFolder } from "../src/log/folder.ts";
import { LogWriter } from "../src/log/writer.ts";
import { number, temporary } from "./support.ts";

vi.mock("node:fs", { spy: true });

const MS_PER_DAY = 86_400_000;
const line = Buffer.from("a line\n");

function create() {
  const clock = { now: Date.parse("2026-03-01T12:00:00Z") };
  const writer = new LogWriter(
    new LogFolder(join(temporary(), "messages"), "boot"),
    "regular",
    () => clock.now,
  );
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
  await vi.waitFor(() => expect(ended).toHaveLength(1), 20_000);
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

it("all files are closed, and the queue is noted, at an end for which the disk takes nothing more", async () => {
  const dataDir = temporary();
  const agent = new MessagingAgent({ dataDir });
  await agent.addMessages([number(1), number(2)]);
  agent.removeMessages(agent.getNLatestMessages(1).map(({ identifier }) => identifier));
  await agent.addMessage(number(3), { urgent: true });
  const isBelow = (file: string) => file.startsWith(dataDir);
  const descriptors = () => fs.readdirSync("/proc/self/fd").flatMap((name) => targetOf(name) ?? []);
  await agent.addMessages([number(4), number(5)], { durability: "fast" });
  await agent.addMessage(number(6), { urgent: true, durability: "fast" });
  const failure = Object.assign(new Error("i/o error"), { code: "EIO" });
  vi.mocked(fs.fdatasync).mockImplementation((_descriptor, done) => done(failure));
  vi.mocked(fs.fdatasyncSync).mockImplementation(() => {
    throw failure;
  });
  onTestFinished(() => {
    for (const sync of [fs.fdatasync, fs.fdatasyncSync]) vi.mocked(sync).mockReset();
  });
  await expect(agent.teardown()).rejects.toMatchObject({ code: "IVY_STORE_WRITE" });
  await vi.waitFor(() => expect(descriptors().filter(isBelow)).toEqual([]), 20_000);
  expect(fs.readdirSync(dataDir)).toContain("active-message-queue.sqlite3.checkpoint");
});

function targetOf(descriptor: string): string | undefined {
  try {
    return fs.readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    // The one with which the folder was listed.
    return undefined;
  }
}
