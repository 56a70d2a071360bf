// Plays the agent of a node that makes one change, with the functions that the real one uses. With the argument `set-up`
// it prepares a node first. What it says is appended to the file of IVY_PLAY_SAID, a line each.
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { KernelLock, replaceFile } from "@ivy/files";
import { type ForeignConfig, loadForeignConfigFromString } from "@ivy/types";
import { discard } from "../../src/root/discard.ts";
import { createGeneration } from "../../src/root/generation.ts";
import { type RootPaths, rootPaths, versionFolder } from "../../src/root/paths.ts";
import { readPointer, switchPointer } from "../../src/root/pointers.ts";
import { removeOldVersions } from "../../src/root/remove-old-versions.ts";
import { readSeal, sealVersion } from "../../src/root/seal.ts";
import { readVerdict } from "../../src/root/trial.ts";
import { CHANGES, type Change, TRIAL_SECONDS } from "./changes.ts";

const START = { launcher: 1, runtime: "bin/node", main: "run.mjs", cli: "run.mjs" };

const TIMES = { trialSeconds: TRIAL_SECONDS, upSeconds: 1 };

const NEVER_MS = 1_000_000_000;

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
  writeFileSync(join(folder, "run.mjs"), 'await import(process.env["IVY_PLAY_AGENT"]);\n');
}

async function setUp(root: string, launcher: string, change: Change): Promise<void> {
  const paths = rootPaths(root);
  for (const folder of [paths.data, paths.trials, paths.config]) mkdirSync(folder, { recursive: true });
  writeFileSync(paths.launcher, readFileSync(launcher));
  writeTree(versionFolder(paths, "1.0.0"), "1.0.0");
  await sealVersion(versionFolder(paths, "1.0.0"), { version: "1.0.0", txid: "set-up" });
  const name = createGeneration(paths, { config: configOf(1, "1.0.0"), version: "1.0.0", ...TIMES });
  switchPointer(paths, "lastGood", name);
  switchPointer(paths, "active", name);
  replaceFile(join(paths.data, "wanted.json"), JSON.stringify(change));
  say("set up");
}

async function play(paths: RootPaths, change: Change): Promise<void> {
  const own = basename(process.env["IVY_GENERATION"] as string);
  const { revision } = loadOwn();
  const isNew = revision === 2;
  say(`started ${isNew ? "new" : "old"}${process.env["IVY_TRIAL"] ? " in trial" : ""}`);
  if (isNew && change.behaviour === "exits") process.exit(3);
  const hardware = new KernelLock(process.env["IVY_PLAY_HARDWARE"] as string);
  if (!hardware.tryAcquire()) say("two agents");
  process.once("SIGTERM", () => process.exit(0));
  if (isNew && change.behaviour === "hangs") {
    tellUp();
    await new Promise((resolve) => setTimeout(resolve, NEVER_MS));
  }
  if (process.env["IVY_TRIAL"] !== undefined) switchPointer(paths, "lastGood", own);
  if (readPointer(paths, "active") === readPointer(paths, "lastGood")) await settle(paths, isNew, change);
  tellUp();
  setInterval(() => undefined, NEVER_MS);
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

function loadOwn(): { revision: number } {
  const file = join(process.env["IVY_GENERATION"] as string, "config.json");
  return { revision: loadForeignConfigFromString(readFileSync(file, "utf8")).general.config_revision };
}

async function settle(paths: RootPaths, isNew: boolean, change: Change): Promise<void> {
  const failed = newGenerations(paths).some((name) => readVerdict(paths, name) !== undefined);
  if (!isNew && !failed) {
    await begin(paths, change);
    process.exit(0);
  }
  const outcome = isNew ? "accepted" : "rejected";
  replaceFile(join(paths.data, "outcome"), outcome);
  say(`told ${outcome}`);
  removeOldVersions(paths, { keptVersions: 1 });
  say("settled");
}

function newGenerations({ trials }: RootPaths): string[] {
  return existsSync(trials) ? readdirSync(trials).filter((name) => name.startsWith("2-")) : [];
}

async function begin(paths: RootPaths, { version }: Change): Promise<void> {
  const folder = versionFolder(paths, version);
  if (readSeal(folder) === undefined) {
    const draft = join(paths.stage, "t1", "src");
    discard(paths, dirname(draft));
    discard(paths, folder);
    writeTree(draft, version);
    renameSync(draft, folder);
    await sealVersion(folder, { version, txid: "t1" });
  }
  switchPointer(
    paths,
    "active",
    createGeneration(paths, { config: configOf(2, version), version, ...TIMES }),
  );
}

const [, , command, root = "", launcher = "", name = ""] = process.argv;
if (command === "set-up") {
  await setUp(root, launcher, CHANGES[name as keyof typeof CHANGES]);
} else {
  const paths = rootPaths(process.env["IVY_ROOT_DIR"] as string);
  await play(paths, JSON.parse(readFileSync(join(paths.data, "wanted.json"), "utf8")) as Change);
}
