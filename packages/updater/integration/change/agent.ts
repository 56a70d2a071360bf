// Plays the agent of a node that makes one change: the real updater on the real state and the real store of messages,
// without procedures and without a server. With the argument `set-up` it prepares a node first; started by itself, it
// prepares a version: really where IVY_PLAY_REMOTE names a repository, and otherwise by writing a tree. What it says is
// appended to the file of IVY_PLAY_SAID, a line each.
import { once } from "node:events";
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { KernelLock, replaceFile } from "@ivy/files";
import { MessagingAgent } from "@ivy/messaging";
import { StateInterface } from "@ivy/state";
import { configDigest, ForeignConfig, loadForeignConfigFromString, UpdaterConfig } from "@ivy/types";
import { writePendingFile } from "../../src/change/pending-file.ts";
import type { PreparationRequest } from "../../src/change/preparation.ts";
import { isReusable } from "../../src/change/prepare-version.ts";
import { runPreparation } from "../../src/child.ts";
import { discard } from "../../src/root/discard.ts";
import { createGeneration, readGeneration } from "../../src/root/generation.ts";
import { type RootPaths, rootPaths, versionFolder } from "../../src/root/paths.ts";
import { switchPointer } from "../../src/root/pointers.ts";
import { sealVersion } from "../../src/root/seal.ts";
import { Updater, type UpdaterOptions } from "../../src/updater.ts";
import { CHANGES, type Change, trialSecondsOf } from "./changes.ts";

const START = { launcher: 1, runtime: "bin/node", main: "run.mjs", cli: "run.mjs" };

const NEVER_MS = 1_000_000_000;

const REMOTE = process.env["IVY_PLAY_REMOTE"];

/** Trials are as short as the harness asks for, whatever a node would be allowed. */
function updaterFor(change: Change): UpdaterConfig {
  const seconds = trialSecondsOf(change);
  return {
    ...UpdaterConfig.parse({
      repository: "org/repo",
      provider: "git",
      provider_host: "git.example",
      remote: REMOTE,
    }),
    spread_seconds: 0,
    trial_seconds: seconds,
    config_trial_seconds: seconds,
  };
}

const LOGGER = {
  debug() {},
  /** Tells when each step of a preparation begins. */
  info: (subject: string) => {
    const [, step] = /: (\w+)$/.exec(subject) ?? [];
    if (REMOTE !== undefined && step !== undefined) say(`step ${step} ${Math.round(performance.now())}`);
  },
  warning() {},
  error() {},
};

function say(text: string): void {
  appendFileSync(process.env["IVY_PLAY_SAID"] as string, `${text}\n`);
}

function configOf(revision: number, software_version: string): ForeignConfig {
  return { general: { config_revision: revision, software_version } };
}

/** A version as small as one can be; its program is this one. */
function writeTree(folder: string, version: string): void {
  mkdirSync(join(folder, "bin"), { recursive: true });
  symlinkSync(process.execPath, join(folder, "bin/node"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ version, ivy: START }));
  const pnpm = process.env["IVY_PLAY_PNPM"];
  if (pnpm !== undefined) {
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(pnpm, join(folder, "node_modules/pnpm"));
  }
  writeFileSync(join(folder, "run.mjs"), 'await import(process.env["IVY_PLAY_AGENT"]);\n');
}

async function setUp(root: string, launcher: string, change: Change): Promise<void> {
  const paths = rootPaths(root);
  for (const folder of [paths.data, paths.trials, paths.config]) mkdirSync(folder, { recursive: true });
  writeFileSync(paths.launcher, readFileSync(launcher));
  writeTree(versionFolder(paths, "1.0.0"), "1.0.0");
  await sealVersion(versionFolder(paths, "1.0.0"), { version: "1.0.0", txid: "set-up" });
  const name = createGeneration(paths, {
    config: configOf(1, "1.0.0"),
    version: "1.0.0",
    trialSeconds: trialSecondsOf(change),
    upSeconds: 1,
  });
  switchPointer(paths, "lastGood", name);
  switchPointer(paths, "active", name);
  replaceFile(join(paths.data, "wanted.json"), JSON.stringify(change));
  await arrive(paths, configOf(2, change.version));
  say("set up");
}

/** Leaves a configuration as a backend does. */
async function arrive(paths: RootPaths, config: ForeignConfig): Promise<void> {
  const digest = configDigest(config);
  const file = writePendingFile(paths.config, config, digest);
  await new StateInterface({ dataDir: paths.data }).update((draft) => {
    draft.pending_configs.push({ general: config.general, digest, file });
  });
}

async function play(paths: RootPaths, change: Change): Promise<void> {
  const isNew = inForce().general.config_revision === 2;
  say(`started ${isNew ? "new" : "old"}${process.env["IVY_TRIAL"] ? " in trial" : ""}`);
  if (isNew && change.behaviour === "exits") process.exit(3);
  const hardware = new KernelLock(process.env["IVY_PLAY_HARDWARE"] as string);
  if (!hardware.tryAcquire()) say("two agents");
  process.once("SIGTERM", () => process.exit(0));
  if (isNew && change.behaviour === "hangs") {
    tellUp();
    await new Promise((resolve) => setTimeout(resolve, NEVER_MS));
  }
  await settle(paths, change);
  tellUp();
  setInterval(() => undefined, NEVER_MS);
}

/** What the main loop does with the updater; there is nothing that would have to prove itself. */
async function settle(paths: RootPaths, change: Change): Promise<void> {
  const state = new StateInterface({ dataDir: paths.data });
  const messages = new MessagingAgent({ dataDir: paths.data });
  const updater = createUpdater(paths, change, { state, messages });
  await updater.prepare();
  await updater.commit();
  const outcome = await updater.performUpdate(new AbortController().signal);
  await messages.teardown();
  if (outcome === "leave") process.exit(0);
  if (state.load().handled_configs.some(({ config_revision }) => config_revision === 2)) say("settled");
}

function createUpdater(
  paths: RootPaths,
  change: Change,
  store: Pick<UpdaterOptions<ForeignConfig>, "state" | "messages">,
) {
  const generation = basename(process.env["IVY_GENERATION"] as string);
  const version = readGeneration(paths, generation)?.version ?? "";
  return new Updater({
    configFile: join(paths.generations, generation, "config.json"),
    configDir: paths.config,
    schema: ForeignConfig,
    version,
    updater: updaterFor(change),
    site: {
      paths,
      generation,
      running: versionFolder(paths, version),
      preparation: pathToFileURL(process.env["IVY_PLAY_AGENT"] as string),
      attempt: process.env["IVY_TRIAL"],
    },
    ...store,
    logger: LOGGER,
  });
}

/** As a real agent does, see `tellUp` of @ivy/lifecycle. */
function tellUp(): void {
  try {
    writeSync(3, "up\n");
    closeSync(3);
  } catch {
    // Nobody waits for it.
  }
}

function inForce(): ForeignConfig {
  const file = join(process.env["IVY_GENERATION"] as string, "config.json");
  return loadForeignConfigFromString(readFileSync(file, "utf8"));
}

/** In the place of what fetches, installs and tests; what is sealed is used again as always. */
async function prepare(): Promise<void> {
  const [request] = (await once(process, "message")) as [PreparationRequest];
  const folder = versionFolder(request.paths, request.version);
  if (!isReusable(request, folder)) await prepareAnew(request, folder);
  process.send?.({ kind: "ready" });
  process.disconnect();
}

async function prepareAnew({ paths, version, txid }: PreparationRequest, folder: string): Promise<void> {
  const stage = join(paths.stage, txid);
  discard(paths, stage);
  discard(paths, folder);
  writeTree(join(stage, "src"), version);
  renameSync(join(stage, "src"), folder);
  await sealVersion(folder, { version, txid });
}

const [, , command, root = "", launcher = "", name = ""] = process.argv;
if (process.send !== undefined) {
  await (REMOTE === undefined ? prepare() : runPreparation());
} else if (command === "set-up") {
  await setUp(root, launcher, CHANGES[name as keyof typeof CHANGES]);
} else {
  const paths = rootPaths(process.env["IVY_ROOT_DIR"] as string);
  await play(paths, JSON.parse(readFileSync(join(paths.data, "wanted.json"), "utf8")) as Change);
}
