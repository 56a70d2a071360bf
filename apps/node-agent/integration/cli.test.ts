import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { configFor } from "./support/config.ts";
import { deployNode, ended, processesOf } from "./support/deployed-node.ts";
import { expectedProcesses } from "./support/expected-processes.ts";

/** A broker where nobody listens: the agent runs without. */
const NOBODY = { host: "127.0.0.1", port: 9 };

const PATIENCE = { timeout: 30_000, interval: 100 };
const ALONE = { ...configFor(NOBODY), backend: null };

const CRON = { PATH: "/usr/bin:/bin", HOME: "/nonexistent", LOGNAME: "root", SHELL: "/bin/sh" };

const namesOf = (root: string) =>
  processesOf(root)
    .map(({ name }) => name)
    .sort();

describe("the command line", () => {
  it("starts the agent, tells that it is running, and stops it", async () => {
    const node = deployNode({ ...configFor(NOBODY), backend: null });
    expect(await node.cli(["is-running"])).toMatchObject({ code: 3, stdout: "The agent is not running\n" });
    const started = await node.cli(["start"]);
    expect(started).toMatchObject({ code: 0, stderr: "" });
    const pid = Number(/PID (\d+)/.exec(started.stdout)?.[1]);
    expect(processesOf(node.root)).toContainEqual({ pid, name: "run" });
    expect(namesOf(node.root)).toEqual(expectedProcesses(ALONE));
    const running = await node.cli(["is-running"]);
    expect(running.code).toBe(0);
    expect(running.stdout).toContain(`PID ${pid}`);
    const second = await node.cli(["start"]);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`process ${pid} holds`);
    const stopped = await node.cli(["stop"]);
    expect(stopped).toMatchObject({ code: 0, stdout: `The agent with PID ${pid} has been stopped\n` });
    expect(processesOf(node.root)).toEqual([]);
    expect(await node.cli(["stop"])).toMatchObject({ code: 0, stdout: "The agent is not running\n" });
  });

  it("starts the agent, which removes what killed processes have left while they replaced a file", async () => {
    const node = deployNode(ALONE);
    const { pid: dead } = spawnSync("true");
    const drafts = ["state.json", "active-message-queue.sqlite3.checkpoint", "messages/2026-03-01.jsonl"].map(
      (name) => join(node.dataDir, `${name}.${dead}-k3x9.tmp`),
    );
    const written = `${drafts[0]?.replace(`${dead}`, `${process.pid}`)}`;
    mkdirSync(join(node.dataDir, "messages"), { recursive: true });
    for (const draft of [...drafts, written]) writeFileSync(draft, "half of");
    await node.cli(["start"]);
    expect([...drafts, written].filter((draft) => existsSync(draft))).toEqual([written]);
    await node.cli(["stop"]);
  });

  it("restarts the agent, and starts it where it is not running", async () => {
    const node = deployNode({ ...configFor(NOBODY), backend: null });
    const first = await node.cli(["restart"]);
    const second = await node.cli(["restart"]);
    const pid = (text: string) => /started with PID (\d+)/.exec(text)?.[1];
    expect([first.code, second.code]).toEqual([0, 0]);
    expect(pid(second.stdout)).not.toBe(pid(first.stdout));
    expect(namesOf(node.root)).toEqual(expectedProcesses(ALONE));
    await node.cli(["stop"]);
  });

  it("leaves the agent running where it is to be restarted with a configuration that cannot be used", async () => {
    const node = deployNode({ ...configFor(NOBODY), backend: null });
    await node.cli(["start"]);
    const before = await node.cli(["is-running"]);
    writeFileSync(node.configFile, "{");
    const { code, stdout, stderr } = await node.cli(["restart"]);
    expect([code, stdout]).toEqual([(await node.cli(["start"])).code, ""]);
    expect(stderr).toContain("is not JSON");
    expect(stderr).toContain("Nothing has been stopped");
    expect(await node.cli(["is-running"])).toEqual(before);
  });

  it("kills an agent that hangs soon, with its processes, and says so meanwhile", async () => {
    const config = configFor(NOBODY);
    const node = deployNode({
      ...config,
      backend: { ...(config["backend"] as object), max_drain_time: 7_200 },
    });
    const { stdout } = await node.cli(["start"]);
    process.kill(Number(/PID (\d+)/.exec(stdout)?.[1]), "SIGSTOP");
    const stopped = await node.cli(["stop"]);
    expect(stopped).toMatchObject({ code: 0, stdout: expect.stringContaining("has been stopped") });
    expect(stopped.stderr).toMatch(/hangs: it does not answer; it is killed .* at \d\d:\d\d:\d\d/);
    await vi.waitFor(() => expect(processesOf(node.root)).toEqual([]), PATIENCE);
  });

  it("waits for the drain that the running agent may take, whatever its file says by now", async () => {
    const config = configFor(NOBODY);
    const draining = (max_drain_time: number) => ({
      ...config,
      backend: { ...(config["backend"] as object), max_drain_time },
    });
    const node = deployNode(draining(1_800));
    const hangs = join(node.root, "apps/node-agent/dist/dummy-procedure.js");
    writeFileSync(hangs, `for (;;);\n${readFileSync(hangs, "utf8")}`);
    await node.cli(["start"]);
    writeFileSync(node.configFile, JSON.stringify(draining(0)));
    const stop = spawn(process.execPath, [join(node.root, "apps/node-agent/dist/cli.js"), "stop"]);
    const [told] = await once(stop.stderr, "data");
    const [, hours, minutes, seconds] = /at (\d\d):(\d\d):(\d\d)/.exec(String(told)) ?? [];
    const until = new Date().setHours(Number(hours), Number(minutes), Number(seconds));
    // It may be tomorrow.
    expect((until - Date.now() + 86_400_000) % 86_400_000).toBeGreaterThan(1_500_000);
  });

  it("works the same from cron, with an almost empty environment", async () => {
    const node = deployNode({ ...configFor(NOBODY), backend: null });
    expect(await node.cli(["start"], CRON)).toMatchObject({ code: 0, stderr: "" });
    expect((await node.cli(["is-running"], CRON)).code).toBe(0);
    expect((await node.cli(["stop"], CRON)).code).toBe(0);
  });

  it("stops within seconds an agent that has nobody to send to", async () => {
    const config = configFor(NOBODY);
    // Longer than this test.
    const backend = { ...(config["backend"] as object), max_drain_time: 7_200 };
    const node = deployNode({ ...config, backend });
    await node.cli(["start"]);
    expect((await node.cli(["stop"])).stdout).toContain("has been stopped");
  });

  it("starts and stops it also while processes hang on their way up", async () => {
    const config = configFor(NOBODY);
    const node = deployNode({
      ...config,
      backend: { ...(config["backend"] as object), max_drain_time: 600 },
    });
    for (const name of ["dummy-procedure", "tenta-backend"]) {
      const script = join(node.root, `apps/node-agent/dist/${name}.js`);
      writeFileSync(script, `for (;;);\n${readFileSync(script, "utf8")}`);
    }
    expect(await node.cli(["start"])).toMatchObject({ code: 0, stderr: "" });
    await vi.waitFor(() => expect(node.logs()).toContain("Last boot"), { timeout: 30_000, interval: 100 });
    expect((await node.cli(["stop"])).code).toBe(0);
    expect(processesOf(node.root)).toEqual([]);
  });

  it("tells why the agent does not start: file, key, what came, what is allowed", async () => {
    const node = deployNode({ ...configFor(NOBODY), dummy_procedure: { seconds_between_datapoints: 0 } });
    const { code, stderr } = await node.cli(["start"]);
    expect(code).toBe(1);
    expect(stderr).toContain(`${node.configFile} cannot be used`);
    expect(stderr).toContain(
      "dummy_procedure.seconds_between_datapoints: must be a whole number from 1 to 7200; came 0",
    );
    writeFileSync(node.configFile, "{");
    expect((await node.cli(["start"])).stderr).toContain("is not JSON");
    rmSync(node.configFile);
    expect((await node.cli(["start"])).stderr).toContain("the file is missing; copy config.template.json");
  });

  it("takes the data folder from the environment", async () => {
    const node = deployNode({ ...configFor(NOBODY), backend: null });
    const { stdout } = await node.cli(["info"], { ...CRON, IVY_DATA_DIR: "/somewhere" });
    expect(stdout).toMatch(
      /CLI version: \d+\.\d+\.\d+\nNode\.js: v24\..*\nSource code: .*\nData: \/somewhere\n/,
    );
  });

  it("has the data in one folder, from wherever it is called, and where the environment names none", async () => {
    const node = deployNode({ ...configFor(NOBODY), backend: null });
    const data = async (folder: string) =>
      /Data: (.*)/.exec((await node.cli(["info"], { ...process.env, IVY_DATA_DIR: folder })).stdout)?.[1];
    expect(await data("")).toBe(node.dataDir);
    expect(await data("elsewhere")).toBe(join(node.root, "elsewhere"));
  });

  it("says with what to do that it cannot write what it prints, or has no such file", async () => {
    const node = deployNode({ ...configFor(NOBODY), backend: null });
    const script = join(node.root, "apps/node-agent/dist/cli.js");
    const full = spawn("sh", ["-c", `"$0" "$1" info > /dev/full`, process.execPath, script]);
    const [told] = await once(full.stderr, "data");
    expect(String(told)).toBe(
      "There is no room left for what is printed; delete old files, or write to another disk\n",
    );
    expect(await ended(full)).toMatchObject({ code: 1 });
    expect(await node.cli(["apply", "nofile"])).toMatchObject({
      code: 1,
      stderr: "nofile does not exist; check the name and the folder\n",
    });
  });

  it("takes files that npm is given from where somebody stands", async () => {
    const node = deployNode({ ...configFor(NOBODY), backend: null });
    for (const name of ["ivy.mjs", "toolchain.mjs"])
      cpSync(join(import.meta.dirname, "../../../scripts", name), join(node.root, "scripts", name));
    const npm = spawn("npm", ["run", "-s", "ivy", "--", "config", "check", "config.json"], {
      cwd: join(node.root, "config"),
      env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env["PATH"]}` },
    });
    const [told] = await once(npm.stdout, "data");
    expect(String(told)).toBe("config.json is sound\n");
  });

  it("reads ../.env and config/.env, of which the latter wins, and the environment before both", async () => {
    const node = deployNode({ ...configFor(NOBODY), backend: null });
    const data = async (env = CRON) => /Data: (.*)/.exec((await node.cli(["info"], env)).stdout)?.[1];
    writeFileSync(`${node.root}/config/.env`, "IVY_DATA_DIR=/from-config\n");
    expect(await data()).toBe("/from-config");
    expect(await data({ ...CRON, IVY_DATA_DIR: "/from-environment" } as typeof CRON)).toBe(
      "/from-environment",
    );
  });

  it("takes the root of a node from config/.env too", async () => {
    const node = deployNode({ ...configFor(NOBODY), backend: null });
    for (const [link, generation] of Object.entries({ active: "8-abc-2.0.0", "last-good": "7-abc-2.0.0" }))
      symlinkSync(`.ivy/gen/${generation}`, join(node.root, link));
    writeFileSync(`${node.root}/config/.env`, `IVY_ROOT_DIR=${node.root}\n`);
    const { stdout } = await node.cli(["status", "--json"], CRON);
    expect(JSON.parse(stdout)).toMatchObject({ update: { state: "trial", to: "2.0.0, revision 8" } });
  });

  it.each(["info", "start", "is-running", "stop", "restart"])("explains %s with --help", async (command) => {
    const node = deployNode(configFor(NOBODY));
    const { code, stdout } = await node.cli([command, "--help"]);
    expect(code).toBe(0);
    expect(stdout.length).toBeGreaterThan(80);
  });

  it("helps with a misspelt command", async () => {
    const node = deployNode(configFor(NOBODY));
    const { code, stderr } = await node.cli(["strat"]);
    expect(code).toBe(1);
    expect(stderr).toContain("Did you mean start?");
  });
});
