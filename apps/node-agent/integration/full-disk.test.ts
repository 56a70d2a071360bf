import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { StatusReport } from "../src/status/schema.ts";
import { configFor } from "./support/config.ts";
import { deployNode, ended, textOf } from "./support/deployed-node.ts";

/** A device that never has room: each write to it fails as on a disk that is full. */
const FULL = "/dev/full";

const PATIENCE = { timeout: 30_000, interval: 100 };

it("goes on measuring where neither the log files nor what it prints can be written", async () => {
  const node = deployNode({ ...configFor({ host: "127.0.0.1", port: 9 }), backend: null });
  const logs = join(node.dataDir, "logs");
  mkdirSync(logs, { recursive: true });
  const DAY_MS = 86_400_000;
  for (const days of [-1, 0, 1]) {
    const day = new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);
    symlinkSync(FULL, join(logs, `${day}.log`));
  }
  const full = openSync(FULL, "a");
  const main = spawn(process.execPath, [join(node.root, "apps/node-agent/dist/run.js")], {
    stdio: ["ignore", full, full],
  });
  closeSync(full);
  const measured = () => textOf(join(node.dataDir, "messages")).split("random_walk_a_position").length - 1;
  await vi.waitFor(() => expect(measured()).toBeGreaterThan(3), PATIENCE);
  const { stdout } = await node.cli(["status", "--json"]);
  const { processes } = StatusReport.parse(JSON.parse(stdout));
  for (const name of ["dummy-procedure", "system-checks"])
    expect(processes[name]).toMatchObject({ state: "running", restarts: 0 });
  main.kill("SIGTERM");
  expect(await ended(main)).toMatchObject({ code: 0 });
});
