import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { configFor } from "./support/config.ts";
import { deployNode, ended } from "./support/deployed-node.ts";

const CONFIG = {
  ...configFor({ host: "127.0.0.1", port: 9 }),
  backend: null,
  logging_verbosity: { file_archive: "INFO", console_prints: null, message_sending: null },
};

const LOG = [
  "2026-03-01 12:00:00.000 UTC+0 - main             - INFO      - started",
  "2026-03-01 12:00:01.000 UTC+0 - roof-sensor      - EXCEPTION - Error: no answer",
  "--- traceback --------------------------",
  "Error: no answer",
  "    at read (roof.ts:1:1)",
  "----------------------------------------",
  "2026-03-01 12:00:02.000 UTC+0 - roof-sensor      - DEBUG     - trying again",
  "",
].join("\n");

function nodeWithLogs() {
  const node = deployNode(CONFIG);
  const file = join(node.dataDir, "logs/2026-03-01.log");
  mkdirSync(join(node.dataDir, "logs"), { recursive: true });
  writeFileSync(file, LOG);
  return { node, file };
}

const UTC = { ...process.env, TZ: "UTC" };

describe("logs", () => {
  it("shows the last entries as they are, or those wanted", async () => {
    const { node } = nodeWithLogs();
    const show = async (...args: string[]) => (await node.cli(["logs", ...args], UTC)).stdout;
    expect(await show()).toBe(LOG);
    expect(await show("-n", "1")).toBe(`${LOG.split("\n").at(-2)}\n`);
    expect(await show("--level", "ERROR")).toBe(`${LOG.split("\n").slice(1, 6).join("\n")}\n`);
    expect(await show("--origin", "main", "--since", "2026-03-01T11:59")).toContain("started");
    expect(await show("--until", "2026-03-01T12:00:01", "-n", "all")).toBe(`${LOG.split("\n")[0]}\n`);
    expect(await show("--since", "2h")).toBe("");
    const [line] = (await show("--text", "roof.ts", "--json")).split("\n");
    expect(JSON.parse(line ?? "")).toMatchObject({
      time: "2026-03-01T12:00:01.000Z",
      origin: "roof-sensor",
      level: "EXCEPTION",
      subject: "Error: no answer",
      body: expect.stringContaining("at read (roof.ts:1:1)"),
    });
  });

  it("refuses a range in which nothing can be", async () => {
    const { node } = nodeWithLogs();
    const { code, stdout, stderr } = await node.cli(["logs", "--since", "1h", "--until", "2h"]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("--since must be before --until");
  });

  it("follows what is added, and ends with Ctrl-C", async () => {
    const { node, file } = nodeWithLogs();
    const script = join(node.root, "apps/node-agent/dist/cli.js");
    const child = spawn(process.execPath, [script, "logs", "-f", "-n", "1"], { env: UTC });
    onTestFinished(() => void child.kill("SIGKILL"));
    let shown = "";
    child.stdout.on("data", (chunk) => {
      shown += chunk;
    });
    await vi.waitFor(() => expect(shown).toContain("trying again"), 20_000);
    expect(shown).not.toContain("started");
    const added = "2026-03-01 12:00:03.000 UTC+0 - main             - INFO      - added\n";
    writeFileSync(file, added, { flag: "a" });
    await vi.waitFor(() => expect(shown).toContain(added), 20_000);
    child.kill("SIGINT");
    expect(await ended(child)).toEqual({ code: 0, signal: null });
  });

  it("ends quietly when its reader has seen enough", async () => {
    const { node } = nodeWithLogs();
    writeFileSync(join(node.dataDir, "logs/2026-03-02.log"), LOG.repeat(5_000));
    const script = join(node.root, "apps/node-agent/dist/cli.js");
    const child = spawn("sh", ["-c", `"$0" "$1" logs -n all | head -n 1`, process.execPath, script]);
    let said = "";
    child.stderr.on("data", (chunk) => {
      said += chunk;
    });
    await once(child, "close");
    expect(said).toBe("");
  });

  it("says that there are none where the agent has not run", async () => {
    const node = deployNode(CONFIG);
    expect(await node.cli(["logs"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("no logs yet"),
    });
  });
});

describe("logs level", () => {
  it("changes the level in all processes of the running agent", async () => {
    const node = deployNode(CONFIG);
    await node.cli(["start"]);
    expect(statSync(join(node.dataDir, "control.sock")).mode & 0o777).toBe(0o600);
    expect(node.logs()).not.toContain("System load");
    const { code, stdout } = await node.cli(["logs", "level", "file_archive", "DEBUG"]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("file_archive is DEBUG now")]);
    await vi.waitFor(() => expect(node.logs()).toMatch(/system-checks +- DEBUG/), 20_000);
    expect(node.logs()).toContain("The command line sets the level of file_archive to DEBUG");
    await node.cli(["stop"]);
  });

  it("tells what is allowed, and that nobody is running", async () => {
    const node = deployNode(CONFIG);
    const wrong = await node.cli(["logs", "level", "file_archive", "LOUD"]);
    expect([wrong.code, wrong.stderr]).toEqual([
      1,
      expect.stringContaining("Allowed choices are DEBUG, INFO"),
    ]);
    const nobody = await node.cli(["logs", "level", "file_archive", "none"]);
    expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining("No agent is running")]);
  });
});
