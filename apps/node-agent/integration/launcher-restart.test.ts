import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { configFor } from "./support/config.ts";
import { setUpRoot, stopped } from "./support/root-node.ts";

const PATIENCE = { timeout: 40_000 };

it("a node that measures is not stopped for a configuration that somebody has broken by hand", async ({
  onTestFinished,
}) => {
  const base = configFor({ host: "localhost", port: 9 }, { backend: null });
  const config = { ...base, general: { ...base.general, software_version: "1.2.3" } };
  const node = await setUpRoot(config, onTestFinished);
  const launcher = node.run();
  await vi.waitFor(() => expect(node.logs()).toContain("Starting the main loop"), PATIENCE);
  const broken = { ...config, dummy_procedure: { seconds_between_datapoints: "often" } };
  writeFileSync(join(node.paths.active, "config.json"), JSON.stringify(broken));
  const { code, stderr } = await node.cli("restart");
  expect(code).toBe(1);
  expect(stderr).toMatch(/dummy_procedure\.seconds_between_datapoints.*nothing has been stopped/s);
  const before = node.archive().length;
  await vi.waitFor(() => expect(node.archive().length).toBeGreaterThan(before), PATIENCE);
  expect(launcher.exitCode).toBe(null);
  await stopped(launcher);
});
