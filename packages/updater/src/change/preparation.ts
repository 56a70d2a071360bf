import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { dyingWithParent } from "@ivy/files";
import type { ForeignConfig, UpdaterConfig } from "@ivy/types";
import { UpdateDeferredError, UpdateRejectedError, type UpdateStep } from "../errors.ts";
import type { RootPaths } from "../root/paths.ts";

/** How long a preparation may take to clear up once it is told to end, in milliseconds. */
const END_MS = 10_000;

/** A version that is to be made ready to run, beside the one that runs. */
export interface PreparationRequest {
  paths: RootPaths;
  version: string;
  commit?: string;
  /** Names what belongs to this change. */
  txid: string;
  /** The configuration that the version shall run with. */
  config: ForeignConfig;
  /** Where the source code comes from; left out where an archive is at hand. */
  updater?: UpdaterConfig;
  archive?: string;
  /** Folder of the version that runs: its pnpm installs. */
  running: string;
  /** Texts that must not stand in any output. */
  secrets: readonly string[];
}

/** What the process that prepares tells. */
export type PreparationReport =
  | { kind: "step"; step: UpdateStep; text: string }
  | { kind: "ready" }
  | { kind: "rejected"; step: UpdateStep; code: string; message: string; output?: string }
  | { kind: "deferred"; step: UpdateStep; code: string; message: string; retryAfterSeconds?: number };

export interface PreparationOptions {
  /** Module of the process: it calls `runPreparation`. */
  module: URL;
  signal: AbortSignal;
  onStep: (step: UpdateStep, text: string) => void;
}

/**
 * Makes a version ready in a process of its own, so that nothing of it is left in memory, and its death is nobody
 * else's.
 *
 * @throws UpdateRejectedError where the version will never be ready
 * @throws UpdateDeferredError where it could not be made ready now, also where the process died
 * @throws the reason of the signal once that has aborted
 */
export async function prepareInProcess(
  request: PreparationRequest,
  { module, signal, onStep }: PreparationOptions,
): Promise<void> {
  signal.throwIfAborted();
  const child = spawnPreparation(module);
  const reports = Promise.withResolvers<PreparationReport | undefined>();
  child.on("message", (report: PreparationReport) => {
    if (report.kind === "step") onStep(report.step, report.text);
    else reports.resolve(report);
  });
  child.once("error", reports.reject);
  child.once("exit", () => reports.resolve(undefined));
  const end = () => void endOf(child);
  signal.addEventListener("abort", end, { once: true });
  child.send(request, () => undefined);
  try {
    const report = await reports.promise;
    await endOf(child);
    signal.throwIfAborted();
    conclude(report);
  } finally {
    signal.removeEventListener("abort", end);
  }
}

function conclude(report: PreparationReport | undefined): void {
  if (report === undefined)
    throw new UpdateDeferredError("check", "IVY_PREPARATION_DIED", "the process that prepares it has died");
  if (report.kind === "rejected")
    throw new UpdateRejectedError(report.step, report.code, report.message, report);
  if (report.kind === "deferred")
    throw new UpdateDeferredError(report.step, report.code, report.message, report);
}

function spawnPreparation(module: URL): ChildProcess {
  const node = [process.execPath, ...process.execArgv, fileURLToPath(module)];
  const [program = "", ...args] = dyingWithParent("KILL", node);
  return spawn(program, args, {
    detached: true,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    serialization: "json",
  });
}

/** Ends the process, with everything that it has started. */
async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const { pid } = child;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  const killer = setTimeout(() => process.kill(-pid, "SIGKILL"), END_MS);
  await gone;
  clearTimeout(killer);
}
