import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { onTestFinished } from "vitest";

const PROJECT_DIR = resolve(import.meta.dirname, "../../../..");

/** What a command printed, and how it ended. */
export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** A configuration as a test writes it, partly wrong perhaps. */
export type AnyConfig = Record<string, unknown> & { general: Record<string, unknown> };

export interface DeployedNode {
  root: string;
  dataDir: string;
  configFile: string;
  /** Runs a command of the CLI. `env` replaces the whole environment. */
  cli(args: string[], env?: NodeJS.ProcessEnv): Promise<CommandResult>;
  /** Starts the main process in the foreground, as systemd would. */
  run(env?: NodeJS.ProcessEnv): ChildProcess;
  /** The text of all log files. */
  logs(): string;
}

/**
 * Lays out the built agent in a temporary folder of its own, as it would lie on a node, so that tests neither see each
 * other nor the checkout's configuration. Whatever still runs there is killed at the end of the test.
 */
export function deployNode(config: AnyConfig): DeployedNode {
  const root = mkdtempSync(join(tmpdir(), "ivy-node-"));
  const app = join(root, "apps/node-agent");
  mkdirSync(join(root, "config"), { recursive: true });
  cpSync(join(PROJECT_DIR, "apps/node-agent/dist"), join(app, "dist"), { recursive: true });
  cpSync(join(PROJECT_DIR, "package.json"), join(root, "package.json"));
  symlinkSync(join(PROJECT_DIR, "apps/node-agent/node_modules"), join(app, "node_modules"));
  const configFile = join(root, "config/config.json");
  writeFileSync(configFile, JSON.stringify(config), { mode: 0o600 });
  onTestFinished(async () => {
    await killAll(root);
    rmSync(root, { recursive: true, force: true });
  });

  const dataDir = join(root, "data");
  const script = (name: string) => join(app, "dist", `${name}.js`);
  return {
    root,
    dataDir,
    configFile,
    cli: (args, env = process.env) => runCommand([script("cli"), ...args], env),
    run(env = process.env) {
      const main = spawn(process.execPath, [script("run")], { env, stdio: ["ignore", "pipe", "pipe"] });
      // A pipe that nobody reads holds the agent up once it is full.
      for (const stream of [main.stdout, main.stderr]) stream.resume();
      return main;
    },
    logs: () => textOf(join(dataDir, "logs")),
  };
}

/** The processes whose command line names a folder: those of the node deployed there. */
export function processesOf(root: string): { pid: number; name: string }[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .flatMap((entry) => {
      const args = commandLine(entry);
      const script = args.find((arg) => arg.startsWith(root) && arg.endsWith(".js"));
      return script === undefined ? [] : [{ pid: Number(entry), name: script.replace(/^.*\/|\.js$/g, "") }];
    });
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}

async function killAll(root: string): Promise<void> {
  for (let left = processesOf(root); left.length > 0; left = processesOf(root)) {
    for (const { pid } of left) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended meanwhile.
      }
    }
    await new Promise(setImmediate);
  }
}

function runCommand(args: string[], env: NodeJS.ProcessEnv): Promise<CommandResult> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

export function textOf(folder: string): string {
  if (!existsSync(folder)) return "";
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .join("");
}

/** Resolves when a process has ended. */
export async function ended(
  child: ChildProcess,
): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return { code: child.exitCode, signal: child.signalCode };
}
