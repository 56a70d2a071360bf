import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { configFor } from "./support/config.ts";
import { deployNode } from "./support/deployed-node.ts";

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
