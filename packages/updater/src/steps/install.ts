import { join } from "node:path";
import { UpdateDeferredError, type UpdateRejectedError } from "../errors.ts";
import type { RootPaths } from "../root/paths.ts";
import { networkEnvironment } from "./environment.ts";
import { type CommandEnd, runCommand } from "./run-command.ts";
import { failure, type StepOptions, sayNothingOfTheVersion, succeeded, unwrapped } from "./run-step.ts";
import { claimStore, releaseStore } from "./store.ts";

/** What the steps of one version have in common. */
export interface VersionStepOptions {
  /** Folder of the version that is prepared. */
  folder: string;
  /** The pnpm of the version that runs; see `pnpmOf`. */
  pnpm: string;
  /** What a step needs of the environment is taken from here; nothing else gets into it. */
  env: NodeJS.ProcessEnv;
  /** Struck out of whatever a step prints. */
  secrets: readonly string[];
  /** Ends the step. */
  signal: AbortSignal;
  /** Told what it prints, line by line, up to 64 KiB of it. */
  onLine?: (line: string) => void;
  /** The step is killed after so many milliseconds. */
  timeoutMs?: number;
}

export interface InstallOptions extends VersionStepOptions {
  paths: Pick<RootPaths, "store">;
  /** How often a package is asked for again before the step gives up. */
  fetchRetries?: number;
  /** How long an answer of the registry may take, in milliseconds. */
  fetchTimeoutMs?: number;
}

/** Long enough for 150 MB over a link of 200 kbit/s. */
const TIMEOUT_MS = 2 * 3_600_000;

/** What of the words of pnpm tells why, in characters. */
const REASON_CHARACTERS = 300;

/** What it takes to run, build and check the agent of a node; the rest of the workspace stays away. */
const PROJECTS = ["--filter", ".", "--filter", "@ivy/node-agent..."];

/**
 * How pnpm says that the registry, or what lies between, did not answer as it should. A 404 is no exception: what the
 * lockfile names was there when it was written, so it is a mirror that is behind, or a proxy.
 */
const REGISTRY =
  /ERR_PNPM_(TARBALL|META|FETCH|REGISTRY)|could not be fetched|\bdns error|error sending request/;

/** How it says that it has left out, say, the Node of this machine, and calls that a success. */
const LEFT_OUT = /optional dependency that could not be fetched/;

/**
 * Installs exactly what the lockfile of a version names, each file a copy of its own, through a store that the versions
 * share. What is there after a failure is to be thrown away.
 *
 * @throws UpdateRejectedError `IVY_INSTALL_FAILED` where the lockfile does not fit the manifests
 * @throws UpdateDeferredError `IVY_REGISTRY_UNREACHABLE`, whatever it has answered; `IVY_NO_ROOM`, `IVY_DISK_FAILED`,
 *   `IVY_STOPPED`, `IVY_NO_MEMORY`, `IVY_KILLED`, `IVY_INSTALL_TIMEOUT`
 */
export async function installDependencies(options: InstallOptions): Promise<{ output: string }> {
  const {
    folder,
    pnpm,
    env,
    paths,
    timeoutMs = TIMEOUT_MS,
    fetchRetries = 5,
    fetchTimeoutMs = 60_000,
    ...rest
  } = options;
  const step: StepOptions = {
    ...rest,
    step: "install",
    command: [
      pnpm,
      "install",
      "--frozen-lockfile",
      ...PROJECTS,
      ...settings(paths.store),
      `--config.fetch-retries=${fetchRetries}`,
      `--config.fetch-timeout=${fetchTimeoutMs}`,
    ],
    cwd: folder,
    env: { ...networkEnvironment(env), ...foldersBeside(paths.store) },
    timeoutMs,
  };
  claimStore(paths.store);
  const end = await runCommand(step);
  const error = obstacle(step, end);
  if (error !== undefined) throw error;
  releaseStore(paths.store);
  return { output: end.output };
}

/** The home of a service may be read-only, and what pnpm keeps there belongs to this root alone. */
function foldersBeside(store: string): NodeJS.ProcessEnv {
  const kinds = ["cache", "state", "data"].map((kind) => [
    `XDG_${kind.toUpperCase()}_HOME`,
    join(store, kind),
  ]);
  return Object.fromEntries(kinds);
}

function settings(store: string): string[] {
  return [
    `--store-dir=${store}`,
    // A file shared with the store would take its damage along into every version; no seal is put on one.
    "--config.package-import-method=copy",
    "--config.verify-store-integrity=true",
    // One after the other: on a link as a node has it nothing is lost, and memory is what there is little of.
    "--network-concurrency=1",
    // The lockfile says by its checksums what is installed; to ask for the age of each package takes megabytes and a clock.
    "--config.minimum-release-age=0",
    "--ignore-scripts",
    "--reporter=append-only",
  ];
}

function obstacle(step: StepOptions, end: CommandEnd): UpdateDeferredError | UpdateRejectedError | undefined {
  const { cause, output } = end;
  if (succeeded(end) && !LEFT_OUT.test(unwrapped(output))) return undefined;
  const disk = sayNothingOfTheVersion(step, end);
  if (disk !== undefined) return disk;
  const defer = (code: string, what: string) =>
    new UpdateDeferredError("install", code, `${what} while the dependencies were installed in ${step.cwd}`);
  if (cause === "timeout") return defer("IVY_INSTALL_TIMEOUT", "Time was up");
  const said = unwrapped(output);
  const at = said.search(REGISTRY);
  if (at === -1) return failure(step, end);
  const reason = said.slice(at, at + REASON_CHARACTERS).trim();
  return defer("IVY_REGISTRY_UNREACHABLE", `The registry did not answer as it should (${reason})`);
}
