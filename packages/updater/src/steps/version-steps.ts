import type { UpdateStep } from "../errors.ts";
import { versionEnvironment } from "./environment.ts";
import type { VersionStepOptions } from "./install.ts";
import { runStep } from "./run-step.ts";

export interface TestOptions extends VersionStepOptions {
  /** The configuration that the version shall run with. */
  configFile: string;
}

/** Enough for a Raspberry Pi Zero 2 that does much else. */
const TIMEOUT_MS = 20 * 60_000;

/**
 * Builds the agent of a version.
 *
 * @throws what `runStep` throws: `IVY_BUILD_FAILED`, `IVY_BUILD_TIMEOUT`, `IVY_NO_ROOM`, `IVY_DISK_FAILED`, `IVY_STOPPED`,
 *   `IVY_NO_MEMORY`, `IVY_KILLED`
 */
export async function buildVersion(options: VersionStepOptions): Promise<{ output: string }> {
  return runScript("build", "node:build", options, {});
}

/**
 * Runs the suite with which a version proves that it can run on this node, with this configuration.
 *
 * @throws what `runStep` throws: `IVY_TEST_FAILED`, `IVY_TEST_TIMEOUT`, `IVY_NO_ROOM`, `IVY_DISK_FAILED`, `IVY_STOPPED`,
 *   `IVY_NO_MEMORY`
 */
export async function runVersionChangeTests(options: TestOptions): Promise<{ output: string }> {
  return runScript("test", "version_change", options, { IVY_CONFIG_FILE: options.configFile });
}

async function runScript(
  step: UpdateStep,
  script: string,
  { folder, pnpm, env, timeoutMs = TIMEOUT_MS, ...rest }: VersionStepOptions,
  additional: NodeJS.ProcessEnv,
): Promise<{ output: string }> {
  return runStep({
    ...rest,
    step,
    // What is installed is what was asked for: pnpm shall not see to it once more.
    command: [pnpm, "--config.verify-deps-before-run=false", "run", script],
    cwd: folder,
    env: { ...versionEnvironment(folder, env), ...additional },
    timeoutMs,
  });
}
