import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, vi } from "vitest";
import { configFor } from "./support/config.ts";
import { deployNode, textOf } from "./support/deployed-node.ts";

const run = promisify(execFile);

it("the command line loads only what a command needs: `info` neither SQLite, child processes nor the network", async () => {
  const node = deployNode(configFor({ host: "127.0.0.1", port: 9 }));
  const cli = join(node.root, "apps/node-agent/dist/cli.js");
  const program = `
    process.argv = [process.argv[0], "ivy", "info"];
    await import(${JSON.stringify(cli)});
    process.stderr.write(process.moduleLoadList.join("\\n"));
  `;
  const probe = join(node.root, "probe.mjs");
  writeFileSync(probe, program);
  // Into a file, for a pipe as standard output loads the network itself.
  const asked = `"$0" "$1" > "${node.root}/out"`;
  const { stderr } = await run("sh", ["-c", asked, process.execPath, probe]);
  const heavy = ["sqlite", "child_process", "http", "tls"];
  const loaded = stderr.split("\n");
  expect(loaded).toContain("NativeModule path");
  expect(heavy.filter((name) => loaded.includes(`NativeModule ${name}`))).toEqual([]);
});

it("a process loads only what it needs: neither assertions nor threads, nor without need TLS and cryptography", async () => {
  const node = deployNode(configFor({ host: "127.0.0.1", port: 9 }));
  const lists = join(node.root, "loaded");
  mkdirSync(lists);
  const probe = join(node.root, "probe.mjs");
  writeFileSync(
    probe,
    `import { writeFileSync } from "node:fs";
    import { basename } from "node:path";
    const file = ${JSON.stringify(`${lists}/`)} + basename(process.argv[1] ?? "none");
    process.once("exit", () => writeFileSync(file, process.moduleLoadList.join("\\n")));`,
  );
  const agent = node.run({ ...process.env, NODE_OPTIONS: `--import=${probe}` });
  const signsOfLife = () => {
    expect(textOf(join(node.dataDir, "messages"))).toContain("random_walk");
    expect(node.logs()).toContain("system-checks");
    expect(node.logs()).toContain("tenta-backend");
  };
  await vi.waitFor(signsOfLife, { timeout: 30_000, interval: 200 });
  agent.kill("SIGTERM");
  await once(agent, "exit");
  const loadedBy = (script: string) => readFileSync(join(lists, script), "utf8").split("\n");
  const neverUsed = ["assert", "worker_threads", "tls"].map((name) => `NativeModule ${name}`);
  expect(readdirSync(lists).sort()).toEqual([
    "dummy-procedure.js",
    "run.js",
    "system-checks.js",
    "tenta-backend.js",
  ]);
  for (const script of readdirSync(lists)) {
    expect(loadedBy(script)).toContain("NativeModule path");
    expect(
      loadedBy(script).filter((name) => neverUsed.includes(name)),
      script,
    ).toEqual([]);
  }
  expect(loadedBy("tenta-backend.js")).not.toContain("NativeModule crypto");
});
