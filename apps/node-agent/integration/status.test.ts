import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KernelLock } from "@ivy/files";
import { StateInterface } from "@ivy/state";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { StatusReport } from "../src/status/schema.ts";
import { configFor, PASSWORD, TOKEN } from "./support/config.ts";
import { type DeployedNode, deployNode, processesOf } from "./support/deployed-node.ts";
import { expectedProcesses } from "./support/expected-processes.ts";
import { describeWithBroker, setUpField } from "./support/field.ts";

/** A broker where nobody listens. */
const NOBODY = { host: "127.0.0.1", port: 9 };
const PATIENCE = { timeout: 30_000, interval: 100 };

async function reportOf(node: DeployedNode, env: NodeJS.ProcessEnv = process.env) {
  const { code, stdout } = await node.cli(["status", "--json"], env);
  return { code, report: StatusReport.parse(JSON.parse(stdout)) };
}

function contentsOf(folder: string): unknown[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => !name.endsWith("-shm"))
    .sort()
    .map((name) => {
      const path = join(folder, name);
      const { mtimeMs, mode, ino } = statSync(path);
      return { name, mtimeMs, mode, ino, content: statSync(path).isFile() && readFileSync(path, "latin1") };
    });
}

describe("the status of a node", () => {
  it("is stopped where the agent has never run, and nothing is created by asking", async () => {
    const node = deployNode(configFor(NOBODY));
    const { code, report } = await reportOf(node);
    expect(code).toBe(3);
    expect(report).toMatchObject({
      state: "stopped",
      main: null,
      revision: 7,
      version: "2.0.0",
      update: null,
    });
    expect(existsSync(node.dataDir)).toBe(false);
  });

  it("is told all the same where the main process ends while it answers", async () => {
    const node = deployNode(configFor(NOBODY));
    mkdirSync(node.dataDir);
    using lock = new KernelLock(join(node.dataDir, "run.lock"));
    expect(lock.tryAcquire()).toBe(true);
    const ending = createServer({ allowHalfOpen: true }, (connection) => connection.end());
    await new Promise<void>((listening) => ending.listen(join(node.dataDir, "control.sock"), listening));
    onTestFinished(() => void ending.close());
    const { code, report } = await reportOf(node);
    expect([code, report.main]).toEqual([4, expect.objectContaining({ pid: process.pid, answers: false })]);
  });

  it("is well, with every process, and stopped afterwards, and nothing is changed by asking", async () => {
    const node = deployNode({ ...configFor(NOBODY), backend: null });
    await node.cli(["start"]);
    const report = await vi.waitFor(async () => {
      const { code, report } = await reportOf(node);
      expect(report.problems.filter((problem) => !problem.includes("clock"))).toEqual([]);
      expect(report.newest_message_age_seconds).toBeLessThan(60);
      expect([0, 4]).toContain(code);
      expect(report.processes["dummy-procedure"]?.interval_seconds).toBe(1);
      return report;
    }, PATIENCE);
    expect(report.main).toMatchObject({ answers: true, safe_mode: false });
    expect(report.main?.uptime_seconds).toBeLessThan(60);
    expect(report.link).toBeNull();
    expect(report.processes).toMatchObject({
      "dummy-procedure": {
        state: "running",
        restarts: 0,
        interval_seconds: 1,
        failures: 0,
        crash_loop: false,
      },
      "system-checks": { state: "running", last_error: null },
    });
    for (const { pid, memory_bytes } of Object.values(report.processes)) {
      expect(processesOf(node.root).map((process) => process.pid)).toContain(pid);
      expect(memory_bytes).toBeGreaterThan(1_000_000);
    }
    const { stdout } = await node.cli(["status"]);
    expect(stdout).toMatch(/^ivy 2\.0\.0, revision 7: /);
    expect(stdout.split("\n").length).toBeLessThan(24);
    await node.cli(["stop"]);
    const before = contentsOf(node.dataDir);
    const stopped = await reportOf(node);
    expect(stopped).toMatchObject({ code: 3, report: { state: "stopped", processes: {} } });
    expect(stopped.report.queue?.messages).toBeGreaterThan(0);
    expect(contentsOf(node.dataDir)).toEqual(before);
  });

  it("tells of the connection, and of a configuration that was broken, while the agent runs and afterwards", async () => {
    const node = deployNode(configFor(NOBODY));
    await node.cli(["start"]);
    writeFileSync(node.configFile, "{");
    const broken = expect.stringMatching(/configuration is broken: .* is not JSON; `config check`/);
    await vi.waitFor(async () => {
      const { code, report } = await reportOf(node);
      expect([code, report.link]).toMatchObject([4, { connected: false }]);
      expect(report.problems).toContainEqual(broken);
    }, PATIENCE);
    await node.cli(["stop"]);
    const { code, report } = await reportOf(node);
    expect([code, report.link]).toMatchObject([3, { connected: false }]);
    expect(report.problems).toEqual(["The agent does not run", broken]);
    rmSync(node.configFile);
    expect((await reportOf(node)).report.problems).toContainEqual(
      expect.stringMatching(/cannot be read: ENOENT/),
    );
  });

  it("is told of a main process that is stopped or killed, and whose processes it has", async () => {
    const config = { ...configFor(NOBODY), backend: null };
    const node = deployNode(config);
    const started = await node.cli(["start"]);
    const pid = Number(/PID (\d+)/.exec(started.stdout)?.[1]);
    await vi.waitFor(async () => {
      const names = Object.keys((await reportOf(node)).report.processes);
      expect(["run", ...names].sort()).toEqual(expectedProcesses(config));
    }, PATIENCE);
    process.kill(pid, "SIGSTOP");
    const { code, report } = await reportOf(node);
    expect(code).toBe(4);
    expect(report.problems[0]).toMatch(/main process does not answer/);
    expect(report.main).toMatchObject({ pid, answers: false });
    expect(report.processes).toMatchObject({
      "dummy-procedure": { state: "running", pid: expect.any(Number) },
    });
    process.kill(pid, "SIGKILL");
    await vi.waitFor(async () => expect((await reportOf(node)).code).toBe(3), PATIENCE);
  });

  it("names a procedure that hangs or that fails, without secrets", async () => {
    const node = deployNode({
      ...configFor(NOBODY),
      backend: null,
      supervision: { missed_intervals: 2, shortest_patience: 1, start_patience: 60 },
    });
    await node.cli(["start"]);
    const dummy = await vi.waitFor(async () => {
      const { report } = await reportOf(node);
      const { pid, uptime_seconds, last_turn_age_seconds } = report.processes["dummy-procedure"] ?? {};
      // Its first turn is over.
      expect(last_turn_age_seconds).toBeLessThan((uptime_seconds ?? 0) - 0.1);
      return pid ?? 0;
    }, PATIENCE);
    process.kill(dummy, "SIGSTOP");
    const { report } = await vi.waitFor(async () => {
      const seen = await reportOf(node);
      expect(seen.report.processes["dummy-procedure"]?.restarts).toBe(1);
      return seen;
    }, PATIENCE);
    expect(report.processes).toMatchObject({
      "dummy-procedure": { state: "running", last_error: expect.stringMatching(/made no progress for/) },
      "system-checks": { restarts: 0, last_error: null },
    });
    const { stdout } = await node.cli(["status"]);
    for (const secret of [PASSWORD, TOKEN]) expect(stdout + JSON.stringify(report)).not.toContain(secret);
  });

  it("tells of a trial and of a version that is prepared, from the root of the node", async () => {
    const node = deployNode(configFor(NOBODY));
    const root = mkdtempSync(join(tmpdir(), "ivy-root-"));
    onTestFinished(() => rmSync(root, { recursive: true, force: true }));
    const env = { ...process.env, IVY_ROOT_DIR: root };
    const update = async () => (await reportOf(node, env)).report.update;
    mkdirSync(join(root, ".ivy/trial/8-0123456789ab-2.1.0/attempt-1"), { recursive: true });
    for (const pointer of ["active", "last-good"])
      symlinkSync(".ivy/gen/7-ba9876543210-2.0.0", join(root, pointer));
    expect(await update()).toBeNull();
    const general = { config_revision: 8, software_version: "2.1.0" };
    const since = new Date().toISOString();
    const [text, change] = ["its turn among all systems, in 5 s", { revision: 8, version: "2.1.0" }];
    await new StateInterface({ dataDir: node.dataDir }).update((state) => {
      state.pending_configs = [
        { general, digest: "0123456789ab", file: "config.8-0123456789ab.pending.json" },
      ];
      state.update = { ...change, step: "wait", text, since };
    });
    const [from, to] = ["2.0.0, revision 7", "2.1.0, revision 8"];
    expect(await update()).toEqual({ state: "wait", from, to, attempt: null, text });
    rmSync(join(root, "active"));
    symlinkSync(".ivy/gen/8-0123456789ab-2.1.0", join(root, "active"));
    expect(await update()).toEqual({ state: "trial", from, to, attempt: 1, text: null });
  });

  it("is described by a JSON Schema, and explained with --help", async () => {
    const node = deployNode(configFor(NOBODY));
    const { code, stdout } = await node.cli(["status", "--json-schema"]);
    expect(code).toBe(0);
    const { properties } = JSON.parse(stdout);
    expect(Object.keys(properties)).toEqual(
      expect.arrayContaining(["state", "processes", "queue", "link", "update"]),
    );
    expect((await node.cli(["status", "--help"])).stdout).toMatch(
      /Exit code\s+0: well, 3: stopped, 4: degraded/,
    );
  });
});

describeWithBroker("the status of a node with a server", () => {
  it("tells of the connection, of its end, and of what waits meanwhile", async () => {
    const { node, broker } = await setUpField();
    await node.cli(["start"]);
    await vi.waitFor(async () => {
      const { report } = await reportOf(node);
      expect(report.link).toMatchObject({ connected: true });
      expect(report.link?.last_acknowledged_age_seconds).toBeLessThan(60);
    }, PATIENCE);
    await broker.stop();
    await vi.waitFor(async () => {
      const { report } = await reportOf(node);
      expect(report.link).toMatchObject({ connected: false });
      expect(report.queue?.messages).toBeGreaterThan(0);
    }, PATIENCE);
  });
});
