import { spawn } from "node:child_process";
import { fstatSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { notifySystemd } from "../src/notify-systemd.ts";
import { ServiceManager } from "../src/service-manager.ts";
import type { LiveProcess, LiveStatus } from "../src/status/live.ts";
import { changed, configFor } from "./support/config.ts";
import { deployNode, ended } from "./support/deployed-node.ts";
import { describeWithBroker, setUpField } from "./support/field.ts";
import { setUpRoot, stopped } from "./support/root-node.ts";
import { describeWithServiceManager, startServiceManager } from "./support/service-manager.ts";

const NOBODY = { host: "127.0.0.1", port: 9 };
const PATIENCE = { timeout: 30_000, interval: 20 };

describeWithServiceManager("the service manager", () => {
  it("is told that the agent is ready, lives, ends, and how it fares in one sentence", async () => {
    const node = deployNode({ ...configFor(NOBODY), backend: null });
    const { socket, told, isWaitedFor } = await startServiceManager();
    const main = node.run({ ...process.env, NOTIFY_SOCKET: socket, WATCHDOG_USEC: "1500000" });
    await vi.waitFor(() => expect(told()).toContain("READY=1"), PATIENCE);
    expect(told().slice(0, 2)).toEqual(["READY=1", "WATCHDOG=1"]);
    await vi.waitFor(() => expect(isWaitedFor()).toBe(true), PATIENCE);
    await vi.waitFor(() => expect(told()).toContain("STATUS=Revision 7: 2 processes run"), PATIENCE);
    await vi.waitFor(
      () => expect(told().filter((line) => line === "WATCHDOG=1").length).toBeGreaterThan(2),
      PATIENCE,
    );
    expect(told().filter((line) => line.startsWith("STATUS="))).toHaveLength(1);
    main.kill("SIGTERM");
    await vi.waitFor(() => expect(told()).toContain("STOPPING=1"), PATIENCE);
    expect(await ended(main)).toMatchObject({ code: 0 });
  });

  it("is told of a process that dies, and no more than that the agent hangs when it does", async () => {
    const { socket, told } = await startServiceManager();
    vi.stubEnv("NOTIFY_SOCKET", socket);
    vi.stubEnv("WATCHDOG_USEC", "300000");
    onTestFinished(() => void vi.unstubAllEnvs());
    const process: LiveProcess = {
      variant: "procedure",
      state: "running",
      pid: 1,
      restarts: 0,
      startedAt: 0,
      link: undefined,
      progress: undefined,
      dueInMs: 1_000,
      crashLoop: false,
      lastError: undefined,
    };
    const live: LiveStatus = {
      pid: 1,
      version: "2",
      revision: 1,
      startedAt: 0,
      safeMode: false,
      processes: { process },
    };
    let hangs = false;
    using manager = new ServiceManager({
      read: () => live,
      mainLoopHangs: () => hangs,
    });
    await vi.waitFor(() => expect(told()).toContain("WATCHDOG=1"), PATIENCE);
    live.processes = { process: { ...process, state: "pausing", lastError: "Error: gone" } };
    manager.changed();
    await vi.waitFor(() => expect(told()).toContain("STATUS=process does not run: Error: gone"), PATIENCE);
    live.processes = { process: { ...process, dueInMs: -300_000 } };
    await vi.waitFor(() => expect(told().at(-1)).toBe("STATUS=Hangs: process makes no progress"), PATIENCE);
    live.processes = {};
    hangs = true;
    await vi.waitFor(
      () => expect(told().at(-1)).toBe("STATUS=Hangs: the main loop makes no progress"),
      PATIENCE,
    );
    const count = (start: string) => told().filter((line) => line.startsWith(start)).length;
    // What was told last before it hung may be heard late: on a busy machine the programs that tell overtake each other.
    await vi.waitFor(async () => {
      const [fed, hung] = [count("WATCHDOG=1"), count("STATUS=Hangs")];
      await vi.waitFor(() => expect(count("STATUS=Hangs")).toBeGreaterThan(hung + 3), PATIENCE);
      expect(count("WATCHDOG=1")).toBe(fed);
    }, PATIENCE);
  });
});

describeWithServiceManager("the service manager of a node with a server", () => {
  describeWithBroker("and a broker", () => {
    it("is told of the connection", async () => {
      const { node } = await setUpField();
      const { socket, told } = await startServiceManager();
      node.run({ ...process.env, NOTIFY_SOCKET: socket });
      const sentence = "STATUS=Revision 7: 3 processes run, connected to the server";
      await vi.waitFor(() => expect(told()).toContain(sentence), PATIENCE);
    });
  });
});

describeWithServiceManager("the service manager of a node in the field", () => {
  it("is not told that the unit ends when another generation takes the place of the first", async () => {
    const base = configFor(NOBODY);
    const general = { ...base.general, software_version: "1.2.3" };
    const config = { ...base, general, updater: null, backend: null };
    const node = await setUpRoot(config, onTestFinished);
    const { socket, told } = await startServiceManager();
    const launcher = node.run({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: "1500000" });
    const ready = () => told().filter((line) => line === "READY=1").length;
    await vi.waitFor(() => expect(ready()).toBe(1), PATIENCE);
    await node.arrive(changed(config, 8));
    await vi.waitFor(() => expect(ready()).toBe(2), PATIENCE);
    expect(told()).not.toContain("STOPPING=1");
    await stopped(launcher);
    await vi.waitFor(() => expect(told()).toContain("STOPPING=1"), PATIENCE);
  });
});

describe("without a service manager that can be reached", () => {
  it.each([
    { NOTIFY_SOCKET: "/nowhere/notify", WATCHDOG_USEC: "100000" },
    { NOTIFY_SOCKET: "@nowhere", WATCHDOG_USEC: "100000", PATH: "/nonexistent" },
  ])("the agent does its work all the same", async (env) => {
    const node = deployNode({ ...configFor(NOBODY), backend: null });
    const main = node.run({ ...process.env, ...env });
    await vi.waitFor(() => expect(node.logs()).toContain("Last boot"), PATIENCE);
    main.kill("SIGTERM");
    expect(await ended(main)).toMatchObject({ code: 0 });
    expect(node.logs()).not.toContain("notify");
  });
});

describe("a service manager that cannot be told, for want of memory say", () => {
  it("is no reason to end", () => {
    vi.stubEnv("NOTIFY_SOCKET", "/nowhere/notify");
    onTestFinished(() => void vi.unstubAllEnvs());
    // More than a command line takes: an error that is thrown at once, as that one is.
    notifySystemd([`STATUS=${"x".repeat(200_000)}`]);
  });
});

describe("in the journal", () => {
  it("what the processes print has priorities", async () => {
    const node = deployNode({ ...configFor(NOBODY), backend: null });
    const file = join(node.root, "journal");
    const descriptor = openSync(file, "a");
    const { dev, ino } = fstatSync(descriptor);
    const main = spawn(process.execPath, [join(node.root, "apps/node-agent/dist/run.js")], {
      env: { ...process.env, JOURNAL_STREAM: `${dev}:${ino}` },
      stdio: ["ignore", descriptor, "inherit"],
    });
    onTestFinished(() => void main.kill("SIGKILL"));
    const printed = () => readFileSync(file, "utf8");
    await vi.waitFor(() => {
      expect(printed()).toMatch(/^<6>.* - main .* - INFO/m);
      expect(printed()).toMatch(/^<7>.* - system-checks .* - DEBUG/m);
    }, PATIENCE);
    expect(
      printed()
        .split("\n")
        .filter((line) => line !== "" && !/^<\d>/.test(line)),
    ).toEqual([]);
    main.kill("SIGTERM");
    await ended(main);
  });
});
