import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { switchPointer } from "../../src/root/pointers.ts";
import { readVerdict } from "../../src/root/trial.ts";
import { Node, type Release } from "../node.ts";

const OLD: Release = { version: "1.0.0", behaviour: "works" };
const PATIENCE = { timeout: 120_000, interval: 50 };

/** A node whose old version is good, with a change begun and the launcher started. */
async function tried(release: Omit<Release, "version">) {
  const node = await Node.with(OLD);
  const old = node.active as string;
  const name = await node.begin({ version: "2.0.0", trialSeconds: 3, ...release });
  await node.call("start");
  return { node, old, name, [Symbol.asyncDispose]: () => node[Symbol.asyncDispose]() };
}

async function isBack(node: Node, old: string): Promise<void> {
  await vi.waitFor(() => expect(node.starts(old)).toHaveLength(1), PATIENCE);
  expect([node.active, node.lastGood]).toEqual([old, old]);
  expect(node.said).not.toContain("two agents");
}

describe.concurrent("a trial", { timeout: 180_000 }, () => {
  it("ends with the commit of the agent, which goes on running", async () => {
    await using trial = await tried({ behaviour: "late 1", trialSeconds: 10 });
    const { node, name } = trial;
    await vi.waitFor(() => expect(node.lastGood).toBe(name), PATIENCE);
    // Longer than its trial would have lasted.
    await sleep(11_000);
    expect(existsSync(join(node.paths.trials, name, "proven"))).toBe(true);
    expect(node.starts()).toHaveLength(1);
    expect(readVerdict(node.paths, name)).toBeUndefined();
  });

  it("is lost by a version that ends each time, after three attempts, with its last words", async () => {
    await using trial = await tried({ behaviour: "exits 3", trialSeconds: 16 });
    const { node, old, name } = trial;
    await isBack(node, old);
    expect(node.starts(name)).toHaveLength(3);
    expect(readVerdict(node.paths, name)).toEqual({
      schema: 1,
      result: "failed",
      reason: "exited",
      attempts: 3,
      lastExit: "3",
      logTail: 'Error: "no" such\\thing',
    });
  });

  it.each(["126", "127"])(
    "is lost by a version that no shell can run (exit code %s), and says so",
    async (code) => {
      await using trial = await tried({ behaviour: `exits ${code}`, trialSeconds: 8 });
      const { node, old, name } = trial;
      await isBack(node, old);
      expect(readVerdict(node.paths, name)).toMatchObject({ reason: "not-runnable", lastExit: code });
    },
  );

  it("has the number of attempts that its generation says, however long it may last", async () => {
    await using node = await Node.with(OLD);
    const old = node.active as string;
    const name = await node.begin({ version: "2.0.0", behaviour: "exits 3", trialSeconds: 100 });
    const record = `.ivy/gen/${name}/gen.json`;
    const changed = node.read(record).replace('"attempts": 3', '"attempts": 1');
    writeFileSync(join(node.paths.root, record), changed);
    await node.call("start");
    await isBack(node, old);
    expect(node.starts(name)).toHaveLength(1);
    expect(readVerdict(node.paths, name)).toMatchObject({ reason: "exited", attempts: 1 });
  });

  it("is lost by a version that hangs, when its time is over, with all that it has started", async () => {
    await using trial = await tried({ behaviour: "hangs", trialSeconds: 8 });
    const { node, old, name } = trial;
    await isBack(node, old);
    expect(node.starts(name)).toHaveLength(1);
    expect(readVerdict(node.paths, name)).toMatchObject({
      reason: "deadline",
      attempts: 1,
      lastExit: "deadline",
    });
    expect(node.agents()).not.toContain(Number(node.starts(name)[0]?.split(" ")[2]));
  });

  it("is lost by a version that leaves processes behind, and none of them survives", async () => {
    await using trial = await tried({ behaviour: "scatters" });
    const { node, old, name } = trial;
    await isBack(node, old);
    const scattered = node.read("scattered").trim().split("\n").map(Number);
    expect(scattered.length).toBe(node.starts(name).length);
    for (const pid of scattered) expect(node.agents()).not.toContain(pid);
  });

  it("is lengthened by the time in which nobody could reach the broker", async () => {
    await using trial = await tried({ behaviour: "waits 14", trialSeconds: 10 });
    const { node, name } = trial;
    await vi.waitFor(() => expect(node.lastGood).toBe(name), PATIENCE);
    expect(node.starts()).toHaveLength(1);
  });

  it("goes on with what is left of its time where attempts were cut off, and their time is over for all together", async () => {
    await using trial = await tried({ behaviour: "unhealthy", trialSeconds: 20 });
    const { node, old, name } = trial;
    const spent = (attempt: number) => Number(node.read(`.ivy/trial/${name}/attempt-${attempt}/spent`));
    await vi.waitFor(() => expect(spent(1)).toBeGreaterThanOrEqual(10), PATIENCE);
    await node.cutPower();
    node.reboot(name);
    await node.call("start");
    await isBack(node, old);
    expect(node.starts(name)).toHaveLength(2);
    // 20 s less those that were noted and those that may have been spent since: 5 s, but that a busy machine looks late.
    expect(spent(2)).toBeLessThan(15);
    expect(readVerdict(node.paths, name)).toMatchObject({ reason: "deadline", attempts: 2 });
  });

  it("survives kills and power cuts, all but the last of its attempts", async () => {
    await using trial = await tried({ behaviour: "unhealthy", trialSeconds: 1_000 });
    const { node, name } = trial;
    await node.cutPower();
    await node.call("start");
    expect(node.starts(name)).toHaveLength(2);
    expect(node.active).toBe(name);
    expect(node.lastGood).not.toBe(name);
  });

  it("is lost by a version that restarts the machine each time, after ten attempts", async () => {
    await using trial = await tried({ behaviour: "unhealthy", trialSeconds: 1_000 });
    const { node, old, name } = trial;
    for (let cut = 1; cut <= 10; cut++) {
      await node.cutPower();
      node.reboot(name);
      await node.call("start");
    }
    await isBack(node, old);
    expect(node.starts(name)).toHaveLength(10);
    expect(readVerdict(node.paths, name)).toMatchObject({ reason: "power", attempts: 10, lastExit: "" });
  });

  it("is not lost by a version that is stopped in an orderly way in each attempt, until there are ten", async () => {
    await using trial = await tried({ behaviour: "unhealthy", trialSeconds: 200 });
    const { node, old, name } = trial;
    for (let stop = 1; stop <= 9; stop++) await node.call("restart");
    expect(node.starts(name)).toHaveLength(10);
    expect([node.active, readVerdict(node.paths, name)]).toEqual([name, undefined]);
    await node.call("restart");
    await isBack(node, old);
    expect(readVerdict(node.paths, name)).toMatchObject({
      reason: "power",
      attempts: 10,
      lastExit: "signal",
    });
  });

  it("does not count attempts that a power cut has ended while nobody could reach the broker", async () => {
    await using trial = await tried({ behaviour: "waits 1000", trialSeconds: 1_000 });
    const { node, name } = trial;
    for (let cut = 1; cut <= 11; cut++) {
      await vi.waitFor(
        () => expect(node.read(`.ivy/trial/${name}/attempt-${cut}/grace`)).not.toBe(""),
        PATIENCE,
      );
      await node.cutPower();
      node.reboot(name);
      await node.call("start");
    }
    expect(node.starts(name)).toHaveLength(12);
    expect(node.active).toBe(name);
  });

  it.each(["0", "40 asking"])("counts those in which nobody knew of an outage: %s", async (grace) => {
    await using trial = await tried({ behaviour: "unhealthy", trialSeconds: 1_000 });
    const { node, old, name } = trial;
    for (let cut = 1; cut <= 10; cut++) {
      await node.cutPower();
      writeFileSync(join(node.paths.trials, name, `attempt-${cut}/grace`), `${grace}\n`);
      node.reboot(name);
      await node.call("start");
    }
    await isBack(node, old);
  });

  it("is counted where the launcher alone is killed, and the next start ends what was left before it starts anew", async () => {
    await using trial = await tried({ behaviour: "hangs", trialSeconds: 100 });
    const { node, name } = trial;
    await node.killGuardians();
    await node.call("start");
    expect(node.starts(name)).toHaveLength(2);
    expect(node.said).not.toContain("two agents");
  });

  it("is not run again where its verdict is there and the links were not moved any more", async () => {
    await using trial = await tried({ behaviour: "exits 1", trialSeconds: 4 });
    const { node, old, name } = trial;
    await isBack(node, old);
    await node.call("stop");
    const starts = node.starts(name).length;
    switchPointer(node.paths, "active", name);
    await node.call("start");
    expect(node.active).toBe(old);
    expect(node.starts(name)).toHaveLength(starts);
  });
});
