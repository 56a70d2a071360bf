import { execFile, spawnSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { configFor } from "./support/config.ts";
import { type DeployedNode, deployNode } from "./support/deployed-node.ts";

const CONFIG = { ...configFor({ host: "127.0.0.1", port: 9 }), backend: null };

/** Becomes somebody who owns nothing, which only root may. */
const AS_NOBODY = ["--reuid=65534", "--regid=65534", "--clear-groups", process.execPath] as const;
const canBeOther = spawnSync("setpriv", [...AS_NOBODY, "--version"]).status === 0;

function nodeToBeSeen(): DeployedNode {
  const node = deployNode(CONFIG);
  chmodSync(node.root, 0o755);
  return node;
}

function asNobody(node: DeployedNode, ...args: string[]) {
  const cli = join(node.root, "apps/node-agent/dist/cli.js");
  return new Promise((resolve) => {
    execFile("setpriv", [...AS_NOBODY, cli, ...args], (error, _, stderr) => {
      resolve({ code: error === null ? 0 : error.code, stderr });
    });
  });
}

describe.skipIf(!canBeOther)("another user at the command line (needs root)", () => {
  it("is told whose the agent is, by every command that only its owner may give", async () => {
    const node = nodeToBeSeen();
    await node.cli(["start"]);
    const told = { code: 1, stderr: "The agent belongs to root: run this as that user (sudo -u root ...)\n" };
    for (const args of [["status"], ["stop"], ["doctor"], ["logs", "level", "file_archive", "INFO"]])
      expect(await asNobody(node, ...args)).toEqual(told);
    expect((await node.cli(["is-running"])).code).toBe(0);
  });

  it("is told whose the files are that the agent cannot be started with, or stopped for", async () => {
    const node = nodeToBeSeen();
    await node.cli(["start"]);
    const told = (file: string) => ({
      code: 1,
      stderr: `nobody may not use ${file}, for it belongs to root; run this as that user (sudo -u root ...)\n`,
    });
    expect(await asNobody(node, "restart")).toEqual(told(node.configFile));
    expect(await asNobody(node, "config", "check")).toEqual(told(node.configFile));
    await node.cli(["stop"]);
    expect(await asNobody(node, "start")).toEqual(told(join(node.dataDir, "main.stderr")));
  });
});
