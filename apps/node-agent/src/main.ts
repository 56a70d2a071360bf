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
import { createTools } from "./tools.ts";
import { WakeUp } from "./wake-up.ts";

/** Pauses after failures in the main loop, in milliseconds; the last one repeats. */
const BACK_OFF_MS = [60_000, 240_000, 900_000];

/** The main loop looks after its processes this often even if nothing happens, in milliseconds. */
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
  await withAutomationLock({ lockFile: options.lockFile }, async () => {
    const fleet = new Fleet({ dataDir: options.dataDir, configDir: dirname(options.configFile) });
    try {
      while (!options.signal.aborted) await runOneConfig(options, fleet);
    } finally {
      await fleet.teardown();
    }
  });
}

/** Runs with the configuration that its file holds now, until another one takes its place or the signal ends it all. */
async function runOneConfig(options: RunOptions, fleet: Fleet): Promise<void> {
  const { configFile, dataDir, version, signal } = options;
  const loaded = loadConfig(configFile, AgentConfig);
  const config = options.adapt?.(loaded) ?? loaded;
  await using tools = createTools(config, dataDir);
  const { logger, messages, state } = tools;

  const shown = redact(config, AgentConfig);
  logger.info(
    `Starting the main loop with PID ${process.pid}`,
    `config = ${JSON.stringify(shown, undefined, 2)}`,
  );
  await messages.addMessage({ variant: "config", status: "startup", config: shown });

  const updater = new Updater({ configFile, schema: AgentConfig, version, state, messages, logger });
  await updater.prepare();
  await fleet.use(config, logger);
  options.up?.();
  await mainLoop({ fleet, updater, logger, stateFile: join(dataDir, "state.json"), signal });
}

interface Loop {
  fleet: Fleet;
  updater: Updater<AgentConfig>;
  logger: Logger;
  stateFile: string;
  signal: AbortSignal;
}

/** Looks after the processes and performs configuration changes; returns when one has been performed, or at the end. */
async function mainLoop({ fleet, updater, logger, stateFile, signal }: Loop): Promise<void> {
  const left = new AbortController();
  const ended = AbortSignal.any([signal, left.signal]);
  const wakeUp = new WakeUp();
  ended.addEventListener("abort", () => wakeUp.notify());
  watchFile(stateFile, ended, () => wakeUp.notify());
  using _round = setInterval(() => wakeUp.notify(), ROUND_MS);

  for (let failures = 0; !signal.aborted; ) {
    try {
      fleet.check();
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
