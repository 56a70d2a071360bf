import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { AutomationLockedError, MainloopToggle, StartError, StopError } from "../src/index.ts";
import { withSharedLock } from "../src/shared-lock.ts";
import { alive, pidOf, temporary, until } from "./support.ts";

const MAIN = join(import.meta.dirname, "fixtures/main.ts");
const NODE = [process.execPath, "--conditions=@ivy/source"] as const;

/** Starts a main process in the foreground. */
function startMain(dataDir: string, ...processes: string[]): ChildProcess {
  const main = spawn(NODE[0], [NODE[1], MAIN, "foreground", dataDir, ...processes], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void main.kill("SIGKILL"));
  return main;
}

async function startedMain(dataDir: string, ...processes: string[]): Promise<ChildProcess> {
  const main = startMain(dataDir, ...processes);
  if (main.stdout) await once(main.stdout, "data");
  return main;
}

function toggleFor(dataDir: string, ...processes: string[]): MainloopToggle {
  const toggle = new MainloopToggle({
    lockFile: join(dataDir, "run.lock"),
    script: [...NODE, MAIN, "background", dataDir, ...processes],
    cwd: dataDir,
    stderrFile: join(dataDir, "main.stderr"),
  });
  onTestFinished(async () => void (await toggle.stopMainloop(0)));
  return toggle;
}

describe("when the main process is killed", () => {
  it("all its processes end, also one that is blocked in a loop", async () => {
    const dataDir = temporary();
    const main = await startedMain(dataDir, "first=live", "second=live", "third=block");
    const pids = await until(() =>
      ["first", "second", "third"].map((name) => pidOf(join(dataDir, `${name}.pid`))),
    );
    main.kill("SIGKILL");
    await until(() => expect(pids.filter(alive)).toEqual([]));
  });

  it("the next start is not hindered", async () => {
    const dataDir = temporary();
    const main = await startedMain(dataDir, "first=live");
    main.kill("SIGKILL");
    await once(main, "exit");
    const next = await startedMain(dataDir, "first=live");
    expect(next.exitCode).toBeNull();
  });
});

describe("a second main process", () => {
  it("is refused with the pid of the first, whatever the file times say", async () => {
    const dataDir = temporary();
    const main = await startedMain(dataDir);
    for (const seconds of [0, 4_102_444_800]) {
      utimesSync(join(dataDir, "run.lock"), seconds, seconds);
      const second = startMain(dataDir);
      let said = "";
      second.stderr?.on("data", (text) => (said += text));
      expect(await once(second, "close")).toEqual([1, null]);
      expect(said).toContain(`process ${main.pid} holds`);
    }
  });

  it("is refused too when both start at the same instant", async () => {
    for (let round = 0; round < 5; round++) {
      const dataDir = temporary();
      const pair = [startMain(dataDir), startMain(dataDir)];
      const loser = await Promise.race(pair.map((main) => once(main, "exit").then(() => main)));
      const winner = pair.find((main) => main !== loser);
      if (winner?.stdout) await once(winner.stdout, "data");
      expect([loser.exitCode, winner?.exitCode]).toEqual([1, null]);
      winner?.kill("SIGKILL");
    }
  });
});

describe("the main loop in the background", () => {
  it("is started, seen and stopped, with all its processes", async () => {
    const dataDir = temporary();
    const toggle = toggleFor(dataDir, "first=live", "second=live");
    expect(toggle.getMainloopPids()).toEqual([]);
    const pid = await toggle.startMainloop();
    const pids = toggle.getMainloopPids();
    expect(pids[0]).toBe(pid);
    await until(() =>
      expect(pids.slice(1).sort()).toEqual(
        ["first", "second"].map((name) => pidOf(join(dataDir, `${name}.pid`))).sort(),
      ),
    );
    await expect(toggle.startMainloop()).rejects.toThrow(AutomationLockedError);
    await expect(toggle.startMainloop()).rejects.toThrow(`process ${pid} holds`);
    expect(await toggle.stopMainloop(20_000)).toEqual(pids);
    expect(pids.filter(alive)).toEqual([]);
    expect(toggle.getMainloopPids()).toEqual([]);
    expect(await toggle.stopMainloop(20_000)).toEqual([]);
  });

  it("that does not end in time is killed, and its processes with it", async () => {
    const dataDir = temporary();
    const toggle = toggleFor(dataDir, "first=stubborn");
    await toggle.startMainloop();
    await until(() => pidOf(join(dataDir, "first.pid")));
    const pids = toggle.getMainloopPids();
    await toggle.stopMainloop(200);
    await until(() => expect(pids.filter(alive)).toEqual([]));
  });

  it("that does not even end when it is killed is given up, with a word", async () => {
    const dataDir = temporary();
    const toggle = toggleFor(dataDir);
    const pid = await toggle.startMainloop();
    // Plays a kernel that lets go of no process, and time that flies.
    const kill = vi.spyOn(process, "kill").mockReturnValue(true);
    let now = performance.now();
    const time = vi.spyOn(performance, "now").mockImplementation(() => (now += 5_000));
    onTestFinished(() => [kill, time].forEach((mocked) => void mocked.mockRestore()));
    await expect(toggle.stopMainloop(0)).rejects.toThrow(StopError);
    expect(kill.mock.calls).toEqual([
      [pid, "SIGTERM"],
      [pid, "SIGKILL"],
    ]);
  });

  it("that does not come up is reported with what it said", async () => {
    const dataDir = temporary();
    const toggle = new MainloopToggle({
      lockFile: join(dataDir, "run.lock"),
      script: [process.execPath, "-e", "console.error('no configuration'); process.exit(78)"],
      cwd: dataDir,
      stderrFile: join(dataDir, "main.stderr"),
    });
    await expect(toggle.startMainloop()).rejects.toThrow(StartError);
    await expect(toggle.startMainloop()).rejects.toThrow(/ended before it was up: no configuration/);
  });
});

describe("where other machines share the file system", () => {
  it("a lock that they respect comes on top", async () => {
    const lockFile = join(temporary(), "run.lock");
    await withSharedLock(
      lockFile,
      () => undefined,
      async () => {
        await expect(
          withSharedLock(
            lockFile,
            () => undefined,
            async () => 1,
          ),
        ).rejects.toThrow(AutomationLockedError);
      },
    );
    expect(
      await withSharedLock(
        lockFile,
        () => undefined,
        async () => 2,
      ),
    ).toBe(2);
  });
});
