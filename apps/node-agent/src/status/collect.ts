import { existsSync, readFileSync, statfsSync } from "node:fs";
import { dirname, join } from "node:path";
import { lockHolder } from "@ivy/files";
import type { StoreStatistics } from "@ivy/messaging";
import type { ProcessState } from "@ivy/types";
import type { RootPaths } from "@ivy/updater";
import { clockIsSynchronised } from "./clock.ts";
import { describeLink, describeProcess, type Process } from "./describe-live.ts";
import type { LiveStatus } from "./live.ts";
import { problemsOf } from "./problems.ts";
import { type ProcInfo, procInfo } from "./proc.ts";
import type { StatusReport } from "./schema.ts";
import { changeUnderWay } from "./update.ts";

/** Where a node has what its status is read from. */
export interface StatusPlace {
  dataDir: string;
  configFile: string;
  lockFile: string;
  root: RootPaths;
  /** Version of the software that asks. */
  version: string;
}

export interface StatusSources {
  /** Asks the main process; `undefined` where none answers. */
  ask: () => Promise<LiveStatus | undefined>;
  /** Looks at the messages. */
  look: () => StoreStatistics;
}

/** Puts together how a node fares, without changing anything of it. */
export async function collectStatus(place: StatusPlace, { ask, look }: StatusSources): Promise<StatusReport> {
  const { dataDir, configFile, lockFile, root, version } = place;
  const asked = ask();
  const { config, configProblem } = readConfig(configFile);
  const messages = describeMessages(look);
  const live = await asked;
  // To list its locks takes the kernel 10 ms and more, as long as the rest of this together.
  const pid = live?.pid ?? lockHolder(lockFile);
  const info = pid === undefined ? undefined : procInfo(pid);
  const found = {
    schema: 1 as const,
    time: new Date().toISOString(),
    version: live?.version ?? version,
    revision: live?.revision ?? revisionIn(config),
    main: pid === undefined || info === undefined ? null : describeMain(pid, info, live),
    processes: live ? describeRunning(live) : info ? describeNoted(dataDir) : {},
    ...messages,
    link: live ? describeLink(live) : linkOnDisk(config, info !== undefined),
    disk: describeDisk(dataDir),
    clock: { synchronised: clockIsSynchronised() },
    update: changeUnderWay(root, readJson(join(dataDir, "state.json"))),
  };
  const problems = [
    ...(info === undefined ? ["The agent does not run"] : problemsOf(found)),
    ...(configProblem === undefined ? [] : [configProblem]),
  ];
  const state = info === undefined ? "stopped" : problems.length === 0 ? "well" : "degraded";
  return { ...found, state, problems };
}

function describeMain(pid: number, info: ProcInfo, live: LiveStatus | undefined): StatusReport["main"] {
  return {
    pid,
    uptime_seconds: info.uptimeSeconds,
    memory_bytes: info.memoryBytes,
    answers: live !== undefined,
    safe_mode: live?.safeMode ?? null,
  };
}

function describeRunning(live: LiveStatus): StatusReport["processes"] {
  return Object.fromEntries(
    Object.entries(live.processes).map(([name, process]) => {
      const info = process.pid === undefined ? undefined : procInfo(process.pid);
      return [name, { ...describeProcess(process), memory_bytes: info?.memoryBytes ?? null }];
    }),
  );
}

/** What the main process has noted in the state, when it does not answer itself. */
function describeNoted(dataDir: string): StatusReport["processes"] {
  const noted = (readJson(join(dataDir, "state.json"))?.["processes"] ?? {}) as Record<string, ProcessState>;
  return Object.fromEntries(
    Object.entries(noted).map(([name, { state, restarts, pid, crash_loop = false, last_error = null }]) => {
      const info = pid === undefined ? undefined : procInfo(pid);
      const process: Process = {
        state: state === "running" && info === undefined ? "ended" : state,
        pid: info === undefined ? null : (pid ?? null),
        uptime_seconds: info?.uptimeSeconds ?? null,
        memory_bytes: info?.memoryBytes ?? null,
        restarts,
        last_turn_age_seconds: null,
        interval_seconds: null,
        failures: 0,
        crash_loop,
        last_error,
      };
      return [name, process];
    }),
  );
}

/** What can be told of the connection where the main process does not tell. */
function linkOnDisk(config: Record<string, unknown> | undefined, runs: boolean): StatusReport["link"] {
  const unknown = { since_seconds: null, last_acknowledged_age_seconds: null };
  return config !== undefined && !config["backend"] ? null : { connected: runs ? null : false, ...unknown };
}

function describeMessages(
  look: StatusSources["look"],
): Pick<StatusReport, "queue" | "newest_message_age_seconds"> {
  try {
    const { queued, queuedBytes, oldest, newest, dead, dropped } = look();
    const queue = { messages: queued, bytes: queuedBytes, oldest_age_seconds: ageOf(oldest), dead, dropped };
    return { queue, newest_message_age_seconds: ageOf(newest) };
  } catch {
    return { queue: null, newest_message_age_seconds: null };
  }
}

function describeDisk(dataDir: string): StatusReport["disk"] {
  // Where the agent has never run, the folder is yet to be created.
  let folder = dataDir;
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, blocks, bsize, ffree } = statfsSync(folder);
  return { free_bytes: bavail * bsize, total_bytes: blocks * bsize, free_inodes: ffree };
}

/** By the wall clock, which may have been set back meanwhile. */
function ageOf(unixSeconds: number | undefined): number | null {
  return unixSeconds === undefined ? null : Math.max(0, Date.now() / 1_000 - unixSeconds);
}

function revisionIn(config: Record<string, unknown> | undefined): number | null {
  const general = config?.["general"] as { config_revision?: unknown } | undefined;
  return typeof general?.config_revision === "number" ? general.config_revision : null;
}

/** What an agent that runs does not need any more, but the next one does; its keys are left to `config check`. */
function readConfig(file: string): { config?: Record<string, unknown>; configProblem?: string } {
  try {
    const config = JSON.parse(readFileSync(file, "utf8"));
    if (typeof config === "object" && config !== null) return { config };
  } catch (error) {
    if (!(error instanceof SyntaxError))
      return { configProblem: `The configuration cannot be read: ${(error as Error).message}` };
  }
  return { configProblem: `The configuration is broken: ${file} is not JSON; \`config check\` tells where` };
}

/** A file that is broken or missing is no reason not to tell the rest. */
function readJson(file: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}
