import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { watchFile } from "@ivy/files";
import { withAutomationLock } from "@ivy/lifecycle";
import type { Logger } from "@ivy/logger";
import { loadConfig, redact } from "@ivy/types";
import { Updater } from "@ivy/updater";
import { AgentConfig } from "./agent-config.ts";
import { Fleet } from "./fleet.ts";
import { createTools, type Tools } from "./tools.ts";
import { WakeUp } from "./wake-up.ts";

/** Pauses after failures in the main loop, in milliseconds; the last one repeats. */
const BACK_OFF_MS = [60_000, 240_000, 900_000];

/** The main loop looks for changes this often even if nothing tells of one, in milliseconds. */
const ROUND_MS = 10_000;

export interface RunOptions {
  configFile: string;
  dataDir: string;
  /** Held for as long as the main loop lives. */
  lockFile: string;
  version: string;
  /** Ends the main loop: the processes are torn down, the backend drains. */
  signal: AbortSignal;
  /** Called once the processes have been started. */
  up?: () => void;
  /** Changes every configuration before it is used; its file stays as it is. */
  adapt?: (config: AgentConfig) => AgentConfig;
}

/**
 * Runs the agent until the signal ends it.
 *
 * @throws ConfigError where the configuration cannot be used
 * @throws AutomationLockedError where the agent runs already
 */
export async function run(options: RunOptions): Promise<void> {
  mkdirSync(options.dataDir, { recursive: true });
  const warn = (text: string) => process.stderr.write(`${text}\n`);
  await withAutomationLock({ lockFile: options.lockFile, warn }, () => runThroughConfigs(options));
}

/** Runs with the configuration that its file holds, and when another one has taken its place, with that. */
async function runThroughConfigs(options: RunOptions): Promise<void> {
  const { configFile, dataDir, signal } = options;
  const fleet = new Fleet({ dataDir, configDir: dirname(configFile) });
  let tools: Tools | undefined;
  try {
    while (!signal.aborted) {
      const loaded = loadConfig(configFile, AgentConfig);
      const config = options.adapt?.(loaded) ?? loaded;
      const before = tools;
      tools = createTools(config, dataDir);
      const updater = await prepare(options, config, tools);
      await fleet.use(config, tools.logger);
      await before?.[Symbol.asyncDispose]();
      options.up?.();
      await mainLoop({ updater, logger: tools.logger, stateFile: join(dataDir, "state.json"), signal });
    }
  } finally {
    await fleet.teardown();
    await tools?.[Symbol.asyncDispose]();
  }
}

async function prepare(
  options: RunOptions,
  config: AgentConfig,
  tools: Tools,
): Promise<Updater<AgentConfig>> {
  const { logger, messages } = tools;
  const shown = redact(config, AgentConfig);
  logger.info(`Starting the main loop with PID ${process.pid}`);
  logger.debug("The configuration in force", JSON.stringify(shown, undefined, 2));
  const updater = new Updater({ ...options, ...tools, schema: AgentConfig });
  try {
    await messages.addMessage({ variant: "config", status: "startup", config: shown });
    await updater.prepare();
  } catch (error) {
    // A full disk is no reason not to measure.
    logger.exception(error, { label: "The start could not be recorded" });
  }
  return updater;
}

interface Loop {
  updater: Updater<AgentConfig>;
  logger: Logger;
  stateFile: string;
  signal: AbortSignal;
}

/**
 * Performs configuration changes as they come; returns when one has been performed, or at the end. The processes look
 * after themselves.
 */
async function mainLoop({ updater, logger, stateFile, signal }: Loop): Promise<void> {
  const left = new AbortController();
  const ended = AbortSignal.any([signal, left.signal]);
  const wakeUp = new WakeUp();
  ended.addEventListener("abort", () => wakeUp.notify());
  watchFile(stateFile, ended, () => wakeUp.notify());
  using _round = setInterval(() => wakeUp.notify(), ROUND_MS);

  for (let failures = 0; !signal.aborted; ) {
    try {
      if (await updater.performPendingUpdates()) break;
      failures = 0;
      await wakeUp.wait();
    } catch (error) {
      logger.exception(error, { label: "The main loop failed and goes on after a pause" });
      const pause = BACK_OFF_MS[Math.min(failures++, BACK_OFF_MS.length - 1)];
      await sleep(pause, undefined, { signal }).catch(() => undefined);
    }
  }
  left.abort();
}
