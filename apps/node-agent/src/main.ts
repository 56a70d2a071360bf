import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { removeDrafts } from "@ivy/files";
import { systemMonotonicMs, withAutomationLock } from "@ivy/lifecycle";
import type { Logger } from "@ivy/logger";
import { loadConfig, redact } from "@ivy/types";
import { type Outcome, type Site, Updater } from "@ivy/updater";
import { AgentConfig } from "./agent-config.ts";
import { Fleet } from "./fleet.ts";
import { mainLoop } from "./main-loop.ts";
import { Operations } from "./operations.ts";
import { createTools, type Tools } from "./tools.ts";
import { endTrial } from "./trial.ts";

/** A teardown that takes longer than this hangs, in milliseconds: the longest drain of a configuration, and some more. */
const LONGEST_TEARDOWN_MS = 7_320_000;

/** How often the limits of the message store are seen to, in milliseconds. */
const LIMITS_MS = 3_600_000;

export interface RunOptions {
  configFile: string;
  /** Where certificates lie and configurations that have arrived. */
  configDir: string;
  dataDir: string;
  /** Held for as long as the main loop lives. */
  lockFile: string;
  /** Name and version of this software. */
  name: string;
  version: string;
  /** The node's root; in a checkout there is none. */
  site?: Site | undefined;
  /** The agent has died again and again: only what it takes to be reached from afar is to run. */
  safeMode?: boolean;
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
  await withAutomationLock({ lockFile: options.lockFile, warn }, () => {
    tidy(options.dataDir, warn);
    return runThroughConfigs(options);
  });
}

/** Removes what processes that were killed while they replaced a file have left: it is in the way of nobody, but for ever. */
function tidy(dataDir: string, warn: (text: string) => void): void {
  try {
    for (const folder of [dataDir, join(dataDir, "messages")]) if (existsSync(folder)) removeDrafts(folder);
  } catch (error) {
    warn(`What killed processes have left in ${dataDir} could not be removed: ${(error as Error).message}`);
  }
}

/**
 * Runs with the configuration that its file holds, and when another one has taken its place or a restart is asked for,
 * begins anew with what the file then holds. Ends when another generation is to be started in the place of this one.
 */
async function runThroughConfigs(options: RunOptions): Promise<void> {
  const { dataDir, configDir, signal, name, version, safeMode = false } = options;
  const agent = { name, version, startedAt: systemMonotonicMs() };
  const fleet = new Fleet({
    dataDir,
    configDir,
    agent,
    safeMode,
    onChange: () => operations.changed(),
    onCounts: (counts, life) => operations.count(counts, life),
  });
  const operations = new Operations({ ...options, fleet, agent });
  let outcome: Outcome = "nothing";
  let tools: Tools | undefined;
  let config: AgentConfig | undefined;
  // Each step is taken, from the last to the first, whatever happens in another.
  await using ending = new AsyncDisposableStack();
  ending.use(operations);
  ending.defer(() => tools?.[Symbol.asyncDispose]());
  ending.defer(() => fleet.teardown(outcome === "leave" ? "restart" : "stop"));
  ending.defer(() => operations.stopping(signal.aborted));

  while (!signal.aborted && outcome !== "leave") {
    config = load(options, config, tools?.logger);
    const before = tools;
    tools = createTools(config, dataDir);
    const { updater, record } = await prepare(options, config, tools);
    const round = new AbortController();
    try {
      await fleet.use(config, tools, {
        restart: () => round.abort(),
        isOnTrial: () => updater.isOnTrial,
      });
      await operations.use(config, tools);
    } finally {
      await before?.[Symbol.asyncDispose]();
    }
    using _limits = config.backend ? undefined : keepLimits(tools.messages);
    const { logger, messages } = tools;
    options.up?.();
    const stateFile = join(dataDir, "state.json");
    const until = AbortSignal.any([signal, round.signal]);
    const trial = endTrial({
      updater,
      fleet,
      record,
      messages,
      logger,
      site: options.site,
      signal: until,
    });
    try {
      outcome = await mainLoop({ updater, logger, stateFile, signal: until, pulse: operations.pulse });
    } finally {
      round.abort();
      operations.pulse.beat(LONGEST_TEARDOWN_MS);
      await trial;
    }
  }
}

/** Where there is no backend, nobody else keeps the messages within their limits. */
function keepLimits(messages: Tools["messages"]): Disposable {
  messages.keepLimits();
  return setInterval(() => messages.keepLimits(), LIMITS_MS);
}

/** A file that was broken by hand while the agent ran is no reason to end when a restart is asked for. */
function load(
  { configFile, adapt }: RunOptions,
  before: AgentConfig | undefined,
  logger: Logger | undefined,
): AgentConfig {
  try {
    const loaded = loadConfig(configFile, AgentConfig);
    return adapt?.(loaded) ?? loaded;
  } catch (error) {
    if (before === undefined) throw error;
    logger?.exception(error, { label: "The processes are started again with the configuration as it was" });
    return before;
  }
}

async function prepare(
  options: RunOptions,
  config: AgentConfig,
  tools: Tools,
): Promise<{ updater: Updater<AgentConfig>; record: () => Promise<void> }> {
  const { logger, messages } = tools;
  const shown = redact(config, AgentConfig);
  logger.info(`Starting the main loop with PID ${process.pid}`);
  if (options.safeMode)
    logger.error("The agent has died again and again: no procedure runs, only the backend");
  logger.debug("The configuration in force", JSON.stringify(shown, undefined, 2));
  const updater = new Updater({ ...options, ...tools, schema: AgentConfig, updater: config.updater });
  let recorded = false;
  const record = async () => {
    if (!recorded) await messages.addMessage({ variant: "config", status: "startup", config: shown });
    recorded = true;
  };
  try {
    await record();
    await updater.prepare();
  } catch (error) {
    // A full disk is no reason not to measure.
    logger.exception(error, { label: "The start could not be recorded" });
  }
  return { updater, record };
}
