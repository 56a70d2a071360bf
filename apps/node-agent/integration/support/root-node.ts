import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { MessagingAgent } from "@ivy/messaging";
import { StateInterface } from "@ivy/state";
import { configDigest, type ForeignConfig, UpdaterConfig } from "@ivy/types";
import {
  createGeneration,
  prepareVersion,
  type RootPaths,
  rootPaths,
  sealVersion,
  switchPointer,
  writePendingFile,
} from "@ivy/updater";
import { expect } from "vitest";
import { type AnyConfig, type CommandResult, textOf } from "./deployed-node.ts";
import type { OnTestFinished } from "./trial-field.ts";

const PROJECT_DIR = resolve(import.meta.dirname, "../../../..");

/** What cron gives. */
const CRON = { PATH: "/usr/bin:/bin", HOME: "/nonexistent", LOGNAME: "root", SHELL: "/bin/sh" };

/** What this machine needs besides, to reach a registry. */
const NETWORK = ["SSL_CERT_FILE", "SSL_CERT_DIR", "https_proxy", "HTTPS_PROXY", "pnpm_config_registry"];

/** Text put before a program of a version, to make it a bad one. */
export type Sabotage = Partial<Record<"run" | "dummy-procedure" | "tenta-backend", string>>;

/** A node with a root of its own: launcher, versions, generations. */
export interface RootNode {
  paths: RootPaths;
  /** Runs a command of the launcher, as cron would. */
  cli(...args: string[]): Promise<CommandResult>;
  /** Runs the launcher in the foreground, as systemd would. */
  run(env?: NodeJS.ProcessEnv): ChildProcess;
  /** Puts the built agent below the root as another version, sealed. */
  addVersion(version: string, sabotage?: Sabotage): Promise<void>;
  /** Leaves a configuration for the agent as a backend does when one arrives. */
  arrive(config: AnyConfig): Promise<void>;
  state: StateInterface;
  logs(): string;
  /** Everything that was ever added to the store. */
  archive(): ReturnType<MessagingAgent["loadMessageArchive"]>;
  /** Fails where a text stands in any file that is not a configuration. */
  expectNowhere(...texts: string[]): void;
}

/** A node that runs the built agent as version 1.2.3. Whatever runs there at the end of the test is ended. */
export async function setUpRoot(config: AnyConfig, onTestFinished: OnTestFinished): Promise<RootNode> {
  const node = layOut(onTestFinished);
  await node.addVersion("1.2.3");
  start(node, config);
  return node;
}

/** A node whose version was installed from a git remote as an update is. */
export async function installRoot(
  config: AnyConfig,
  { remote, onTestFinished }: { remote: string; onTestFinished: OnTestFinished },
): Promise<RootNode> {
  const node = layOut(onTestFinished);
  const provider = { provider: "git", provider_host: "localhost", remote };
  const updater = UpdaterConfig.parse({ ...(config["updater"] as object), ...provider });
  await prepareVersion(
    {
      paths: node.paths,
      version: String(config.general["software_version"]),
      txid: "set-up",
      config: config as ForeignConfig,
      updater,
      running: PROJECT_DIR,
      secrets: [],
    },
    { signal: new AbortController().signal, onStep: () => undefined },
  );
  start(node, config);
  return node;
}

function layOut(onTestFinished: OnTestFinished): RootNode {
  const root = mkdtempSync(join(tmpdir(), "ivy-root-"));
  const paths = rootPaths(root);
  for (const folder of [paths.data, paths.config]) mkdirSync(folder, { mode: 0o700 });
  cpSync(join(PROJECT_DIR, "packages/updater/launcher/ivy-cli.sh"), paths.launcher);
  const node: RootNode = {
    paths,
    cli: (...args) => runLauncher([paths.launcher, ...args]),
    run(env = {}) {
      const launcher = spawn("/bin/sh", [paths.launcher, "run"], {
        env: { ...CRON, ...network(), ...env },
        stdio: ["ignore", "pipe", "pipe"],
      });
      // A pipe that nobody reads holds the agent up once it is full.
      for (const stream of [launcher.stdout, launcher.stderr]) stream.resume();
      return launcher;
    },
    addVersion: (added, sabotage) => addVersion(paths, added, sabotage),
    arrive: (arrived) => arrive(node, arrived as ForeignConfig),
    state: new StateInterface({ dataDir: paths.data }),
    logs: () => textOf(join(paths.data, "logs")),
    archive: () => archiveOf(paths.data),
    expectNowhere: (...texts) => expectNowhere(paths, texts),
  };
  onTestFinished(async () => {
    await node.cli("stop");
    await rm(root, { recursive: true, force: true });
  });
  return node;
}

function network(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => NETWORK.includes(name)));
}

function start({ paths }: RootNode, config: AnyConfig): void {
  const generation = createGeneration(paths, {
    config: config as ForeignConfig,
    version: String(config.general["software_version"]),
    trialSeconds: 300,
    upSeconds: 30,
  });
  for (const pointer of ["active", "lastGood"] as const) switchPointer(paths, pointer, generation);
}

async function addVersion(paths: RootPaths, version: string, sabotage: Sabotage = {}): Promise<void> {
  const folder = join(paths.root, version);
  const app = join(folder, "apps/node-agent");
  cpSync(join(PROJECT_DIR, "apps/node-agent/dist"), join(app, "dist"), { recursive: true });
  const manifest = JSON.parse(readFileSync(join(PROJECT_DIR, "package.json"), "utf8"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ ...manifest, version }));
  mkdirSync(join(folder, "node_modules/.bin"), { recursive: true });
  symlinkSync(process.execPath, join(folder, "node_modules/.bin/node"));
  symlinkSync(join(PROJECT_DIR, "node_modules/pnpm"), join(folder, "node_modules/pnpm"));
  symlinkSync(join(PROJECT_DIR, "apps/node-agent/node_modules"), join(app, "node_modules"));
  for (const [program, text] of Object.entries(sabotage)) {
    const file = join(app, "dist", `${program}.js`);
    writeFileSync(file, `${text}\n${readFileSync(file, "utf8")}`);
  }
  await sealVersion(folder, { version, txid: "test" });
}

async function arrive(node: RootNode, config: ForeignConfig): Promise<void> {
  const digest = configDigest(config);
  const file = writePendingFile(node.paths.config, config, digest);
  const { config_revision, software_version } = config.general;
  await node.state.update((draft) => {
    draft.pending_configs.push({ general: { config_revision, software_version }, digest, file });
  });
}

function runLauncher(args: string[]): Promise<CommandResult> {
  return new Promise((done) => {
    execFile("/bin/sh", args, { env: CRON }, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

function archiveOf(dataDir: string): ReturnType<MessagingAgent["loadMessageArchive"]> {
  const agent = new MessagingAgent({ dataDir });
  const days = new Set(readdirSync(join(dataDir, "messages")).map((name) => name.slice(0, 10)));
  return [...days].sort().flatMap((day) => agent.loadMessageArchive(day));
}

function expectNowhere({ root, data, trials, generations }: RootPaths, texts: string[]): void {
  const below = (folder: string) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
  const records = readdirSync(generations).map((name) => join(generations, name, "gen.json"));
  const seals = globSync(join(root, "*/.ivy-seal.json"));
  for (const file of [...below(data), ...below(trials), ...records, ...seals]) {
    const content = readFileSync(file, "latin1");
    for (const text of texts) expect(content.includes(text), `${text} in ${file}`).toBe(false);
  }
}

/** Resolves when the launcher has ended, with everything that it has started. */
export async function stopped(launcher: ChildProcess): Promise<void> {
  launcher.kill("SIGTERM");
  if (launcher.exitCode === null && launcher.signalCode === null) await once(launcher, "exit");
}
