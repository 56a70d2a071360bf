import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, vi } from "vitest";
import { configFor } from "./support/config.ts";
import { deployNode, textOf } from "./support/deployed-node.ts";

const run = promisify(execFile);

/** What takes a while to load. The last comes with `node:fs` where that is imported as a whole. */
const HEAVY = ["sqlite", "net", "crypto", "child_process", "http", "tls", "worker_threads"];

/** Runs a command; which of the heavy modules it has loaded, and how many kilobytes of code of ours. */
async function loadedBy(command: string): Promise<{ heavy: string[]; kilobytes: number }> {
  const node = deployNode(configFor({ host: "127.0.0.1", port: 9 }));
  const cli = join(node.root, "apps/node-agent/dist/cli.js");
  const program = `
    const { registerHooks } = process.getBuiltinModule("node:module");
    let bytes = 0;
    const load = (url, context, next) => {
      const loaded = next(url, context);
      bytes += loaded.source?.length ?? 0;
      return loaded;
    };
    registerHooks({ load });
    process.argv = [process.argv[0], "ivy", ${JSON.stringify(command)}];
    process.on("exit", () => {
      // Standard error may load the network too.
      const loaded = JSON.stringify([bytes, process.moduleLoadList]);
      process.stderr.write(loaded);
    });
    await import(${JSON.stringify(cli)});
    process.exitCode = 0;
  `;
  const probe = join(node.root, "probe.mjs");
  writeFileSync(probe, program);
  // Into a file, for a pipe as standard output loads the network itself.
  const asked = `"$0" "$1" > "${node.root}/out"`;
  const { stderr } = await run("sh", ["-c", asked, process.execPath, probe]);
  const [bytes, modules]: [number, string[]] = JSON.parse(stderr);
  expect(modules).toContain("NativeModule path");
  const heavy = HEAVY.filter((name) => modules.includes(`NativeModule ${name}`));
  return { heavy, kilobytes: Math.round(bytes / 1_024) };
}

it("`info` loads none of the heavier modules of Node, and the command line alone", async () => {
  const { heavy, kilobytes } = await loadedBy("info");
  expect(heavy).toEqual([]);
  expect(kilobytes).toBeLessThan(160);
});

it("`status` loads what it asks with, and neither schemas nor the updater", async () => {
  const { heavy, kilobytes } = await loadedBy("status");
  expect(heavy).toEqual(["sqlite", "net"]);
  expect(kilobytes).toBeLessThan(220);
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
    // By themselves: the main process tells of them before they run.
    for (const name of ["system-checks", "tenta-backend"])
      expect(node.logs()).toMatch(new RegExp(` UTC\\S+ - ${name} +- `));
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
