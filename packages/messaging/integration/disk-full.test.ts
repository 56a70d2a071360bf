import { mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { hasCompiler, setRoom, withFaults } from "@ivy/tooling/file-faults";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { hasMosquitto, startMosquitto } from "../src/testing.ts";
import { createAgent, temporary } from "../test/support.ts";
import { daysOf } from "./full-disk-clock.ts";
import { type Arrivals, listenToArrivals } from "./kill/arrivals.ts";
import { type Program, startProgram } from "./programs.ts";

const PLENTY = 2 ** 40;
/** Enough for some hundred messages. */
const LITTLE = 60_000;

const STORED = /^stored$/;
const REFUSED = /^IVY_STORE_WRITE: .*ENOSPC/;

interface Disk {
  dataDir: string;
  env: NodeJS.ProcessEnv;
  setRoom(bytes: number): void;
}

interface Outcome {
  number: number;
  outcome: string;
}

const until = (check: () => void) => vi.waitFor(check, { timeout: 40_000, interval: 10 });

function createDisk(room: number): Disk {
  const work = realpathSync(temporary());
  const dataDir = join(work, "data");
  const roomFile = join(work, "room");
  mkdirSync(dataDir);
  setRoom(roomFile, room);
  const env = withFaults(work, { folder: dataDir, room: roomFile });
  return { dataDir, env, setRoom: (bytes) => setRoom(roomFile, bytes) };
}

function start(fixture: string, args: (string | number)[], { env }: Disk): Program {
  const program = startProgram(fixture, args, env);
  onTestFinished(() => program[Symbol.asyncDispose]());
  return program;
}

/** What a program that adds messages says of each, as it goes. */
function startAdding(disk: Disk): { program: Program; outcomes: Outcome[]; count(kind: RegExp): number } {
  const program = start("full-add", [disk.dataDir], disk);
  const outcomes: Outcome[] = [];
  createInterface(program.child.stdout).on("line", (line) => outcomes.push(JSON.parse(line)));
  const count = (kind: RegExp) => outcomes.filter(({ outcome }) => kind.test(outcome)).length;
  return { program, outcomes, count };
}

function numbersOf(items: readonly { message_body: unknown }[]): number[] {
  return items.map(({ message_body }) => (message_body as { data: { number: number } }).data.number);
}

/** Adds until the disk is full, again and again, so that writes are cut short at different places, and then beyond. */
async function addOverFullDisk(): Promise<{ disk: Disk; outcomes: Outcome[] }> {
  const disk = createDisk(LITTLE);
  const { program, outcomes, count } = startAdding(disk);
  for (let round = 1; round <= 4; round++) {
    const failed = count(REFUSED);
    await until(() => expect(count(REFUSED)).toBeGreaterThan(failed + 150));
    disk.setRoom(round < 4 ? 2_000 + round * 777 : PLENTY);
  }
  const stored = count(STORED);
  await until(() => expect(count(STORED)).toBeGreaterThan(stored + 300));
  await program.kill("SIGTERM");
  return { disk, outcomes };
}

/** Numbers that were said to be stored, in the order of adding. */
function storedOf(outcomes: readonly Outcome[]): number[] {
  return outcomes
    .filter(({ outcome }) => STORED.test(outcome))
    .map(({ number }) => number)
    .sort((a, b) => a - b);
}

describe.skipIf(!hasCompiler)("a disk that is full (needs cc)", { timeout: 120_000 }, () => {
  it("is told with a typed error, costs nothing that was stored, and is forgotten once there is room", async () => {
    const { disk, outcomes } = await addOverFullDisk();
    expect(outcomes.filter(({ outcome }) => !STORED.test(outcome) && !REFUSED.test(outcome))).toEqual([]);
    const stored = new Set(storedOf(outcomes));
    const agent = createAgent(disk.dataDir);
    const archive = daysOf(outcomes.length).flatMap((day) => numbersOf(agent.loadMessageArchive(day)));
    const queue = numbersOf(agent.getNLatestMessages(outcomes.length));
    for (const found of [archive, queue])
      expect(found.filter((number) => stored.has(number))).toEqual([...stored]);
  });

  it("keeps nothing that was refused, also where it was written together with what did not fit", async () => {
    const { disk, outcomes } = await addOverFullDisk();
    const agent = createAgent(disk.dataDir);
    expect(numbersOf(agent.getNLatestMessages(outcomes.length))).toEqual(storedOf(outcomes));
  });

  it.skipIf(!hasMosquitto)("does not stop the forwarder (needs mosquitto)", async () => {
    const { arrivals, port } = await listen();
    const disk = createDisk(PLENTY);
    const forwarder = start("kill-forward", [disk.dataDir, port, 50, 0], disk);
    const { program, outcomes, count } = startAdding(disk);
    await until(() => expect(arrivals.of("w").length).toBeGreaterThan(100));
    disk.setRoom(LITTLE);
    await until(() => expect(count(REFUSED)).toBeGreaterThan(100));
    await program.kill("SIGTERM");
    const stored = storedOf(outcomes);
    const arrived = () => arrivals.of("w").filter((number) => stored.includes(number));
    await until(() => expect(arrived()).toEqual(stored));
    disk.setRoom(PLENTY);
    const agent = createAgent(disk.dataDir);
    await until(() => expect(agent.getNLatestMessages(1)).toEqual([]));
    await forwarder.kill("SIGTERM");
    expect([...arrivals.repeated]).toEqual([]);
  });

  it.skipIf(!hasMosquitto)("lets a forwarder begin as well (needs mosquitto)", async () => {
    const { arrivals, port } = await listen();
    const disk = createDisk(PLENTY);
    // The queue has been there before.
    const before = createAgent(disk.dataDir);
    expect(before.getNLatestMessages(1)).toEqual([]);
    await before.teardown();
    const { program, outcomes, count } = startAdding(disk);
    await until(() => expect(count(STORED)).toBeGreaterThan(100));
    disk.setRoom(0);
    await program.kill("SIGTERM");
    start("kill-forward", [disk.dataDir, port, 50, 0], disk);
    const stored = new Set(storedOf(outcomes));
    await until(() => expect(arrivals.of("w").filter((number) => stored.has(number))).toEqual([...stored]));
  });

  it("lets the queue be read, and emptied at the latest when there is room", async () => {
    const disk = createDisk(PLENTY);
    const read = startReading(disk);
    expect(await read()).toEqual({ seen: [], removal: "done" });
    const { program, outcomes, count } = startAdding(disk);
    await until(() => expect(count(STORED)).toBeGreaterThan(100));
    disk.setRoom(0);
    await until(() => expect(count(REFUSED)).toBeGreaterThan(100));
    await program.kill("SIGTERM");
    const stored = new Set(storedOf(outcomes));
    const full = await read();
    expect(full.seen.filter((number) => stored.has(number))).toEqual([...stored]);
    disk.setRoom(PLENTY);
    const { seen, removal } = await read();
    expect(removal).toBe("done");
    expect(seen).toEqual(full.removal === "done" ? [] : full.seen);
    expect(await read()).toEqual({ seen: [], removal: "done" });
  });
});

/** Starts a program that reads and empties the queue whenever it is called. */
function startReading(disk: Disk): () => Promise<{ seen: number[]; removal: string }> {
  const { child } = start("full-read", [disk.dataDir], disk);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return async () => {
    child.stdin.write("\n");
    return JSON.parse(String((await lines.next()).value));
  };
}

async function listen(): Promise<{ arrivals: Arrivals; port: number }> {
  const broker = await startMosquitto();
  onTestFinished(() => broker[Symbol.asyncDispose]());
  const arrivals = await listenToArrivals(broker.port);
  onTestFinished(() => arrivals[Symbol.asyncDispose]());
  return { arrivals, port: broker.port };
}
