import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import {
  backendEntrypoint,
  LifecycleManager,
  LifecycleUsageError,
  type Patience,
  procedureEntrypoint,
  RestartPause,
  systemMonotonicMs,
} from "../src/index.ts";
import { alive, pidOf, temporary, until } from "./support.ts";

const fixture = (name: string) => pathToFileURL(join(import.meta.dirname, `fixtures/${name}.ts`));

function manage(
  behaviour: string,
  options: {
    name?: string;
    backend?: boolean;
    members?: string[];
    secondsToKill?: number;
    restartPause?: RestartPause;
    patience?: Patience;
    isOnTrial?: () => boolean;
  } = {},
) {
  const dataDir = temporary();
  const name = options.name ?? "probe";
  const requests = vi.fn();
  const states: string[] = [];
  const links: (boolean | undefined)[] = [];
  /** Whether it is in a crash loop, by how often it was started again. */
  const crashLoops = new Map<number, boolean>();
  const logger = { debug: vi.fn(), info: vi.fn(), warning: vi.fn(), error: vi.fn() };
  const settings = {
    dataDir,
    configDir: dataDir,
    logsDir: join(dataDir, "logs"),
    verbosity: { file_archive: "DEBUG" as const, console_prints: null, message_sending: null },
    revision: 1,
    secrets: ["canary"],
    agent: { name: "ivy", version: "2.0.0", startedAt: systemMonotonicMs() - 7_200_000 },
  };
  const manager = new LifecycleManager({
    config: { behaviour, secret: "canary" },
    entrypoint: options.backend
      ? backendEntrypoint(fixture("backend"))
      : procedureEntrypoint(fixture(options.members ? "members" : "child")),
    ...(options.members === undefined ? {} : { members: options.members }),
    name,
    variant: options.backend ? "backend" : "procedure",
    settings,
    logger,
    onRequest: requests,
    onChange: () => {
      const { state, link, restarts, crashLoop } = manager.checkProcedureStatus();
      states.push(state);
      links.push(link?.connected);
      crashLoops.set(restarts, crashLoop);
    },
    ...(options.secondsToKill === undefined ? {} : { secondsToKill: options.secondsToKill }),
    ...(options.isOnTrial === undefined ? {} : { isOnTrial: options.isOnTrial }),
    ...(options.patience === undefined ? {} : { patience: options.patience }),
    ...(options.restartPause === undefined ? {} : { restartPause: options.restartPause }),
  });
  const pid = () => pidOf(join(dataDir, `${name}.pid`));
  return { manager, dataDir, settings, logger, requests, states, links, crashLoops, pid };
}

function at(pauseMs: number): RestartPause {
  const restartPause = new RestartPause();
  restartPause.after = () => pauseMs;
  return restartPause;
}

/** An error that `spawn` throws at once, as it does where there is no memory left. */
function tooLongACommandLine(): Disposable {
  process.execArgv.unshift("x".repeat(200_000));
  return { [Symbol.dispose]: () => void process.execArgv.shift() };
}

/** Takes all files that this process may open. */
function noFileToOpen(): Disposable {
  const SPARE = 50;
  const [soft = ""] = execFileSync("prlimit", [
    "--noheadings",
    "--output=SOFT",
    "--nofile",
    `--pid=${process.pid}`,
  ])
    .toString()
    .trim()
    .split(/\s+/);
  const limit = (files: number | string) =>
    execFileSync("prlimit", [`--pid=${process.pid}`, `--nofile=${files}:`]);
  limit(Math.max(...readdirSync("/proc/self/fd").map(Number)) + SPARE);
  const taken: number[] = [];
  try {
    for (;;) taken.push(openSync("/dev/null", "r"));
  } catch (error) {
    expect(error).toMatchObject({ code: "EMFILE" });
  }
  return {
    [Symbol.dispose]: () => {
      for (const file of taken) closeSync(file);
      limit(soft);
    },
  };
}

/** The text of all files of a folder. */
function textOf(folder: string, suffix: string): string {
  return readdirSync(folder)
    .filter((name) => name.endsWith(suffix))
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .join("");
}

const logOf = (dataDir: string) => textOf(join(dataDir, "logs"), ".log");
const storeOf = (dataDir: string) => textOf(join(dataDir, "messages"), ".jsonl");

describe("a process of the agent", () => {
  it("runs from its start to its teardown, and stores messages", async () => {
    const { manager, pid, dataDir } = manage("live");
    expect(manager.procedureIsRunning()).toBe(false);
    manager.startProcedure();
    await until(() => expect(manager.checkProcedureStatus()).toMatchObject({ state: "running", pid: pid() }));
    expect(manager.procedureIsRunning()).toBe(true);
    const end = await manager.teardown("stop");
    expect(end).toMatchObject({ exitCode: 0, signal: null, forciblyKilled: false });
    expect(alive(pid())).toBe(false);
    expect(await manager.teardown("stop")).toBeUndefined();
    expect(storeOf(dataDir)).toContain('"started":1');
  });

  it("that is a backend is told why it is torn down", async () => {
    for (const reason of ["stop", "restart"] as const) {
      const { manager, dataDir, pid } = manage("", { backend: true });
      manager.startProcedure();
      await until(pid);
      expect(await manager.teardown(reason)).toMatchObject({ exitCode: 0, forciblyKilled: false });
      expect(readFileSync(join(dataDir, "probe.reason"), "utf8")).toBe(reason);
    }
  });

  it.each(["stubborn", "block"])(
    "that does not end (%s) is killed when its time is over",
    async (behaviour) => {
      const { manager, pid, logger } = manage(behaviour, { secondsToKill: 0.3 });
      manager.startProcedure();
      await until(() => expect(alive(pid())).toBe(true));
      expect(await manager.teardown("stop")).toMatchObject({ signal: "SIGKILL", forciblyKilled: true });
      expect(alive(pid())).toBe(false);
      expect(logger.warning).toHaveBeenCalledWith(expect.stringContaining("killed"));
    },
  );

  it("has half a minute to end in, if nothing else is said", async () => {
    const { manager, pid } = manage("stubborn");
    manager.startProcedure();
    await until(() => expect(alive(pid())).toBe(true));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const end = manager.teardown("stop");
    vi.advanceTimersByTime(29_999);
    expect(alive(pid())).toBe(true);
    vi.advanceTimersByTime(1);
    expect(await end).toMatchObject({ signal: "SIGKILL", forciblyKilled: true });
  });

  it("takes what it has started with it", async () => {
    const { manager, dataDir } = manage("family");
    manager.startProcedure();
    const grandchild = await until(() => pidOf(join(dataDir, "probe.grandchild")));
    await manager.teardown("stop");
    await until(() => expect(alive(grandchild)).toBe(false));
  });

  it("is started again when it is killed, at once the first time", async () => {
    const { manager, pid, logger } = manage("live");
    manager.startProcedure();
    const first = await until(pid);
    process.kill(first, "SIGKILL");
    const second = await until(() => {
      expect(pid()).not.toBe(first);
      return pid();
    });
    expect(alive(second)).toBe(true);
    expect(manager.checkProcedureStatus()).toMatchObject({ restarts: 1, lastEnd: { signal: "SIGKILL" } });
    expect(logger.error).toHaveBeenCalledWith(
      expect.stringMatching(/"probe" has died by SIGKILL .* in 0\.0 s/),
      undefined,
    );
    await manager.teardown("stop");
  });

  it.each(["crash", "return"])(
    "that ends by itself (%s) again and again is started after growing pauses",
    async (behaviour) => {
      const pauses: number[] = [];
      const restartPause = new RestartPause(() => 0.5);
      const after = restartPause.after.bind(restartPause);
      restartPause.after = (ranMs) => {
        pauses.push(after(ranMs));
        return 1;
      };
      const { manager, logger } = manage(behaviour, { restartPause });
      manager.startProcedure();
      await until(() => expect(pauses.length).toBeGreaterThanOrEqual(4));
      await manager.teardown("stop");
      expect(pauses.slice(0, 4)).toEqual([0, 750, 1_500, 3_000]);
      expect(logger.error).toHaveBeenCalledWith(
        expect.stringMatching(/has died with exit code 1/),
        undefined,
      );
    },
  );

  it("can ask the main process for something", async () => {
    const { manager, requests } = manage("ask");
    manager.startProcedure();
    await until(() =>
      expect(requests.mock.calls).toEqual([
        [{ kind: "log-level", sink: "file_archive", level: null }, "probe"],
        [{ kind: "restart" }, "probe"],
      ]),
    );
    await manager.teardown("stop");
  });

  it("knows its agent, and logs less or more when it is told to, also after it has died", async () => {
    const { manager, pid, dataDir } = manage("talk");
    manager.startProcedure();
    const talkOf = (who: number, folder: string) =>
      readdirSync(join(dataDir, folder))
        .map((name) => readFileSync(join(dataDir, folder, name), "utf8"))
        .join("")
        .split(`${who} talks`).length - 1;
    const first = await until(pid);
    await until(() => expect(talkOf(first, "logs")).toBeGreaterThan(0));
    expect(logOf(dataDir)).toMatch(/ivy 2\.0\.0, up for 72\d\d/);
    manager.setLogLevel({ sink: "file_archive", level: "ERROR" });
    manager.setLogLevel({ sink: "message_sending", level: "INFO" });
    await until(() => expect(talkOf(first, "messages")).toBeGreaterThan(0));
    const inFile = talkOf(first, "logs");
    await until(() => expect(talkOf(first, "messages")).toBeGreaterThan(3));
    expect(talkOf(first, "logs")).toBe(inFile);
    process.kill(first, "SIGKILL");
    const second = await until(() => {
      expect(pid()).not.toBe(first);
      return pid();
    });
    await until(() => expect(talkOf(second, "messages")).toBeGreaterThan(3));
    expect(talkOf(second, "logs")).toBe(0);
    await manager.teardown("stop");
  });

  it("heeds a level that comes right behind its start", async () => {
    const { dataDir, settings } = manage("talk");
    const child = fork(fileURLToPath(fixture("child")), { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    await once(child, "message");
    child.send({ kind: "start", config: { behaviour: "talk" }, name: "probe", members: ["probe"], settings });
    child.send({ kind: "log-level", sink: "message_sending", level: "INFO" });
    await until(() => expect(storeOf(dataDir)).toContain(`${child.pid} talks`));
  });

  it("tells every change of its state", async () => {
    const restartPause = new RestartPause();
    restartPause.after = () => 1;
    const { manager, states } = manage("crash", { restartPause });
    manager.startProcedure();
    await until(() => expect(states.slice(0, 3)).toEqual(["running", "pausing", "running"]));
    await manager.teardown("stop");
    expect(manager.checkProcedureStatus().state).toBe("ended");
  });

  it("that is a backend tells of its connection, which ends with it", async () => {
    const { manager, pid, links } = manage("", { backend: true });
    manager.startProcedure();
    const before = systemMonotonicMs();
    await until(() => expect(manager.checkProcedureStatus().link?.lastAcknowledged).toBeDefined());
    const { link, startedAt = 0 } = manager.checkProcedureStatus();
    expect(link?.connected).toBe(true);
    expect(startedAt).toBeLessThanOrEqual(link?.since ?? 0);
    expect(Math.abs(before - (link?.since ?? 0))).toBeLessThan(20_000);
    // The acknowledgement is noted, and no change.
    expect(links).toEqual([undefined, false, true]);
    process.kill(await until(pid), "SIGKILL");
    await until(() => expect(links.slice(3)).toEqual([undefined, undefined, false, true]));
    await manager.teardown("stop");
    expect(manager.checkProcedureStatus()).toMatchObject({ link: undefined, startedAt: undefined });
  });

  it("tells how far its loop is, without telling of every turn", async () => {
    const { manager } = manage("turn");
    manager.startProcedure();
    await until(() =>
      expect(manager.checkProcedureStatus().progress).toMatchObject({
        turns: 2,
        failures: 1,
        intervalMs: 10_000,
      }),
    );
    await manager.teardown("stop");
    expect(manager.checkProcedureStatus().progress).toBeUndefined();
  });

  it("tells what it lacks to be healthy, without secrets, for as long as the agent is on trial", async () => {
    let isOnTrial = true;
    const { manager, pid } = manage("lack", { isOnTrial: () => isOnTrial });
    manager.startProcedure();
    const status = () => manager.checkProcedureStatus();
    await until(() => expect(status().progress).toBeDefined());
    expect(status().lacks).toBe("nobody knows the key [redacted]");
    isOnTrial = false;
    process.kill(pid(), "SIGKILL");
    await until(() => expect(status()).toMatchObject({ restarts: 1, progress: { turns: 0 } }));
    expect(status().lacks).toBeUndefined();
    await manager.teardown("stop");
  });

  it("that makes no progress is taken down and started again: blocked, waiting for ever, or stopped", async () => {
    const patience = { missedIntervals: 2, shortestMs: 2_500, startMs: 60_000 };
    const probes = ["turn-block", "turn-hang", "turn-on"].map((behaviour) =>
      manage(behaviour, { patience, secondsToKill: 0.3 }),
    );
    const healthy = manage("turn-on", { patience });
    for (const { manager } of [...probes, healthy]) manager.startProcedure();
    const [stopped] = probes.slice(-1);
    await until(() => expect(stopped?.manager.checkProcedureStatus().progress?.turns).toBeGreaterThan(0));
    process.kill(stopped?.pid() ?? 0, "SIGSTOP");
    for (const { manager, logger } of probes) {
      // Those that were waited for last may have been started again more than once.
      await vi.waitFor(() => expect(manager.checkProcedureStatus().restarts).toBeGreaterThan(0), {
        timeout: 40_000,
      });
      expect(manager.checkProcedureStatus().lastError).toMatch(/^made no progress for \d+\.\d s$/);
      expect(logger.error).toHaveBeenCalledWith(expect.stringMatching(/"probe" makes no progress/));
    }
    expect(healthy.manager.checkProcedureStatus()).toMatchObject({ restarts: 0, lastError: undefined });
    await Promise.all([...probes, healthy].map(({ manager }) => manager.teardown("stop")));
  }, 60_000);

  it("shows a crash loop, and in the error neither secrets nor line breaks", async () => {
    const restartPause = new RestartPause();
    const after = restartPause.after.bind(restartPause);
    restartPause.after = (ranMs) => Math.min(after(ranMs), 1);
    const { manager, crashLoops } = manage("throw", { restartPause });
    manager.startProcedure();
    await until(() => expect(crashLoops.get(3)).toBe(true));
    expect(crashLoops.get(1)).toBe(false);
    expect(manager.checkProcedureStatus().lastError).toMatch(
      /^SyntaxError: Unexpected token 'c', "\[redacted\]" is not valid JSON$/,
    );
    await manager.teardown("stop");
  });

  it.each([
    ["E2BIG", () => tooLongACommandLine()],
    ["EMFILE", () => noFileToOpen()],
  ])("that cannot be started (%s) is tried again", async (code, makeTrouble) => {
    const { manager, pid } = manage("live", { restartPause: at(500) });
    {
      using _trouble = makeTrouble();
      manager.startProcedure();
      await until(() => expect(manager.checkProcedureStatus().state).toBe("pausing"));
    }
    expect(manager.checkProcedureStatus().lastError).toMatch(new RegExp(`spawn.*${code}`));
    await until(pid);
    expect(manager.checkProcedureStatus()).toMatchObject({ state: "running", pid: pid() });
    await manager.teardown("stop");
  });

  it("can be torn down while it waits to be started again", async () => {
    const restartPause = new RestartPause();
    restartPause.after = () => 3_600_000;
    const { manager } = manage("crash", { restartPause });
    manager.startProcedure();
    await until(() => expect(manager.checkProcedureStatus().state).toBe("pausing"));
    await manager.teardown("stop");
    expect(manager.checkProcedureStatus().state).toBe("ended");
  });

  it("gets its configuration where nobody else can read it", async () => {
    const { manager, pid } = manage("live");
    manager.startProcedure();
    const running = await until(pid);
    for (const place of ["cmdline", "environ"])
      expect(readFileSync(`/proc/${running}/${place}`, "latin1")).not.toContain("canary");
    await manager.teardown("stop");
  });
});

describe("a process with several members", () => {
  const MEMBERS = ["steady", "probe"];
  const slowly = () => {
    const restartPause = new RestartPause();
    restartPause.after = () => 3_600_000;
    return restartPause;
  };

  it("tells of the loop of each, and logs under the name of each", async () => {
    const { manager, dataDir } = manage("turn", { name: "both", members: MEMBERS });
    manager.startProcedure();
    const turnsOf = (member: string) => manager.checkProcedureStatus(member).progress?.turns ?? 0;
    await until(() => expect(Math.min(...MEMBERS.map(turnsOf))).toBeGreaterThan(0));
    const intervals = MEMBERS.map((member) => manager.checkProcedureStatus(member).progress?.intervalMs);
    expect(intervals).toEqual([50, 70]);
    for (const member of MEMBERS) {
      expect(logOf(dataDir)).toMatch(new RegExp(`${member} +- .*begins`));
      expect(pidOf(join(dataDir, `${member}.pid`))).toBe(manager.checkProcedureStatus().pid);
    }
    manager.setLogLevel({ sink: "message_sending", level: "DEBUG" });
    await until(() => {
      for (const member of MEMBERS) expect(storeOf(dataDir)).toContain(`${member} turns`);
    });
    expect(await manager.teardown("stop")).toMatchObject({ exitCode: 0, forciblyKilled: false });
  });

  it("is started again when one of them waits for ever, which is blamed; the others are asked to end", async () => {
    const patience = { missedIntervals: 2, shortestMs: 2_500, startMs: 60_000 };
    const { manager, logger, dataDir } = manage("hang", { name: "both", members: MEMBERS, patience });
    manager.startProcedure();
    await vi.waitFor(() => expect(manager.checkProcedureStatus().restarts).toBeGreaterThan(0), {
      timeout: 40_000,
    });
    expect(manager.checkProcedureStatus("probe").lastError).toMatch(/^made no progress for \d+\.\d s$/);
    expect(manager.checkProcedureStatus("steady").lastError).toMatch(
      /^"probe" in the same process: made no progress for/,
    );
    expect(logger.error).toHaveBeenCalledWith(
      expect.stringMatching(/^"probe" makes no progress: .*; "both", in which it runs, is started again$/),
    );
    expect(logOf(dataDir)).toContain("steady has ended");
    await manager.teardown("stop");
  }, 60_000);

  it.each([
    ["throw", "Error: the sensor is gone"],
    ["return", "The process has ended although nobody asked for it"],
  ])(
    "ends when one of them does (%s), which is blamed; the others come to an end",
    async (behaviour, why) => {
      const restartPause = slowly();
      const { manager, dataDir } = manage(behaviour, { name: "both", members: MEMBERS, restartPause });
      manager.startProcedure();
      await until(() => expect(manager.checkProcedureStatus().state).toBe("pausing"));
      expect(manager.checkProcedureStatus("probe").lastError).toBe(why);
      expect(manager.checkProcedureStatus("steady").lastError).toBe(`"probe" in the same process: ${why}`);
      expect(manager.checkProcedureStatus().lastEnd).toMatchObject({ exitCode: 1, blamed: "probe" });
      expect(logOf(dataDir)).toMatch(new RegExp(`probe +- (ERROR|EXCEPTION) +- .*${why.split(": ").at(-1)}`));
      expect(logOf(dataDir)).toContain("steady has ended");
      await manager.teardown("stop");
    },
  );

  it("ends when one of them is none that it can run, and says which", async () => {
    const restartPause = slowly();
    const { manager } = manage("turn", { name: "both", members: ["steady", "nobody"], restartPause });
    manager.startProcedure();
    await until(() => expect(manager.checkProcedureStatus().state).toBe("pausing"));
    expect(manager.checkProcedureStatus("nobody").lastError).toMatch(
      /"nobody" is not among .*: steady, probe$/,
    );
    await manager.teardown("stop");
  });
});

describe("wrong use of a manager", () => {
  it("is refused: a wrong entrypoint, a missing module, a second start, a check before the start", async () => {
    const { manager } = manage("live");
    expect(() => manager.checkProcedureStatus()).toThrow(LifecycleUsageError);
    manager.startProcedure();
    expect(() => manager.startProcedure()).toThrow(LifecycleUsageError);
    await manager.teardown("stop");
    const options = { config: {}, name: "x", settings: {} as never, logger: {} as never };
    const [procedure, backend] = [
      procedureEntrypoint(fixture("child")),
      backendEntrypoint(fixture("backend")),
    ];
    expect(() => new LifecycleManager({ ...options, variant: "backend", entrypoint: procedure })).toThrow(
      /one of a procedure/,
    );
    expect(() => new LifecycleManager({ ...options, variant: "procedure", entrypoint: backend })).toThrow(
      /one of a backend/,
    );
    const missing = procedureEntrypoint(fixture("nowhere"));
    expect(() => new LifecycleManager({ ...options, variant: "procedure", entrypoint: missing })).toThrow(
      /nowhere\.ts/,
    );
  });
});
