import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { replaceFile } from "@ivy/files";
import { type ForeignConfig, secretsOf } from "@ivy/types";
import {
  isSetUp,
  layOutRoot,
  pnpmOf,
  type RootPaths,
  rootPaths,
  runVersionChangeTests,
  setUpNode,
  UpdateRejectedError,
} from "@ivy/updater";
import { AgentConfig } from "../agent-config.ts";
import { NAME, PROJECT_DIR, VERSION } from "../constants.ts";
import { say } from "./say.ts";
import type { SetUpCommand } from "./setup.ts";
import { Answers } from "./setup-answers.ts";
import { startAtBoot } from "./setup-boot.ts";
import { firstConfig } from "./setup-config.ts";

/** How long a trial of the first generation would take, and how long its procedures must be up, in seconds. */
const TRIAL = { trialSeconds: 300, upSeconds: 30 };

/**
 * Makes this version what a root runs: launcher, configuration, seal, pointers, start at boot. Whatever is there already
 * is left as it is.
 */
export async function setUp(options: SetUpCommand): Promise<void> {
  const paths = rootPaths(options.root, NAME);
  if (relative(options.root, PROJECT_DIR) !== VERSION) {
    throw new Error(
      `${PROJECT_DIR} does not lie in ${options.root} as version ${VERSION}: run scripts/setup-node.sh`,
    );
  }
  layOutRoot(paths, join(PROJECT_DIR, "packages/updater/launcher/ivy-cli.sh"));
  if (options.registry !== undefined) rememberRegistry(paths, options.registry);
  const before = isSetUp(paths);
  if (!before) await createFirst(paths, options);
  const { startAtBoot: how, unitDir } = options;
  startAtBoot({ name: NAME, launcher: paths.launcher, how, unitDir });
  say(`${paths.root} ${before ? "was" : "is"} set up${before ? " already" : ""} with version ${VERSION}`);
  say(`Start it with: ${paths.launcher} start`);
}

async function createFirst(paths: RootPaths, options: SetUpCommand): Promise<void> {
  const interactive = options.yes !== true && process.stdin.isTTY === true && process.stdout.isTTY === true;
  const config = await firstConfig({
    answers: new Answers(options, interactive),
    given: options,
    templateFile: join(PROJECT_DIR, "config/config.template.json"),
    version: VERSION,
  });
  say(`Checking that version ${VERSION} can run here, and sealing it`);
  const prove = (configFile: string) => runVersionChange(config, configFile);
  await setUpNode({ paths, version: VERSION, config, ...TRIAL, prove });
}

async function runVersionChange(config: ForeignConfig, configFile: string): Promise<void> {
  try {
    await runVersionChangeTests({
      folder: PROJECT_DIR,
      pnpm: pnpmOf(PROJECT_DIR),
      env: process.env,
      secrets: secretsOf(config, AgentConfig),
      signal: new AbortController().signal,
      configFile,
    });
  } catch (error) {
    if (error instanceof UpdateRejectedError) say(error.output ?? "");
    throw error;
  }
}

/** The agent reads it into its environment, from where the updater hands it to pnpm. */
function rememberRegistry(paths: RootPaths, registry: string): void {
  const file = join(paths.config, ".env");
  const before = existsSync(file) ? readFileSync(file, "utf8") : "";
  const line = `pnpm_config_registry=${registry}\n`;
  const others = before.replace(/^pnpm_config_registry=.*\n?/m, "");
  if (`${others}${line}` !== before) replaceFile(file, `${others}${line}`, 0o600);
}
