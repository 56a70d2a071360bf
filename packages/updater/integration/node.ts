import { type ChildProcess, execFile, spawn } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createGeneration } from "../src/root/generation.ts";
import { type RootPaths, rootPaths, versionFolder } from "../src/root/paths.ts";
import { readPointer, switchPointer } from "../src/root/pointers.ts";
import { sealVersion } from "../src/root/seal.ts";

const START = { launcher: 1, runtime: "bin/sh", main: "agent.sh", cli: "cli.sh" };

export interface Release {
  version: string;
  /** What the fixture does, see fixtures/agent.sh. */
  behaviour: string;
  trialSeconds?: number;
}

export interface Answer {
  code: number | string | null;
  stdout: string;
  stderr: string;
}

/** A node in a folder of its own, with the launcher as it is in the field and an agent that plays a version. */
export class Node implements AsyncDisposable {
  readonly paths: RootPaths;
  /** As cron gives it: almost nothing. */
  environment: NodeJS.ProcessEnv = { HOME: "/nowhere", SHELL: "/bin/sh" };
  #revision = 0;

  constructor() {
    this.paths = rootPaths(realpathSync(mkdtempSync(join(tmpdir(), "ivy-node-"))));
    cpSync(join(import.meta.dirname, "../launcher/ivy-cli.sh"), this.paths.launcher);
    for (const folder of [this.paths.data, this.paths.trials]) mkdirSync(folder, { recursive: true });
  }

  /** A node that runs this, and has proven that it does. */
  static async with(release: Release): Promise<Node> {
    const node = new Node();
    const name = await node.add(release);
    switchPointer(node.paths, "lastGood", name);
    switchPointer(node.paths, "active", name);
    return node;
  }

  /** @returns the name of the generation */
  async add({ version, behaviour, trialSeconds = 300 }: Release): Promise<string> {
    const folder = versionFolder(this.paths, version);
    mkdirSync(join(folder, "bin"), { recursive: true });
    symlinkSync("/bin/sh", join(folder, "bin/sh"));
    for (const name of ["agent.sh", "cli.sh"])
      cpSync(join(import.meta.dirname, "fixtures", name), join(folder, name));
    writeFileSync(join(folder, "package.json"), JSON.stringify({ version, ivy: START }));
    await sealVersion(folder, { version, txid: "t" });
    const config = { general: { config_revision: ++this.#revision, software_version: version }, behaviour };
    return createGeneration(this.paths, { config, version, trialSeconds, upSeconds: 1 });
  }

  /** Puts a release in its trial, as an agent does that then ends. */
  async begin(release: Release): Promise<string> {
    const name = await this.add(release);
    switchPointer(this.paths, "active", name);
    return name;
  }

  /** Runs a command of the launcher as cron does. */
  call(...args: string[]): Promise<Answer> {
    return this.callBy(this.paths.launcher, ...args);
  }

  callBy(launcher: string, ...args: string[]): Promise<Answer> {
    return new Promise((resolve) => {
      execFile(launcher, args, { env: this.environment, cwd: "/" }, (error, stdout, stderr) => {
        resolve({ code: error?.code ?? (error === null ? 0 : (error.signal ?? null)), stdout, stderr });
      });
    });
  }

  /** Runs it as systemd does. */
  run(): ChildProcess {
    return spawn(this.paths.launcher, ["run"], {
      env: this.environment,
      cwd: "/",
      stdio: ["ignore", "ignore", "pipe"],
    });
  }

  get active(): string | undefined {
    return readPointer(this.paths, "active");
  }

  get lastGood(): string | undefined {
    return readPointer(this.paths, "lastGood");
  }

  /** What the agents have said, a line each. */
  get said(): string[] {
    return this.read("said").trim().split("\n").filter(Boolean);
  }

  /** The starts of a generation, or of all. */
  starts(name = ""): string[] {
    return this.said.filter((line) => line.startsWith(`started ${name}`));
  }

  /** The agent that was started last. */
  agentPid(): number {
    return Number(this.starts().at(-1)?.split(" ")[2]);
  }

  remove(path: string): void {
    rmSync(join(this.paths.root, path));
  }

  /** A file below the root; empty where it is missing. */
  read(path: string): string {
    try {
      return readFileSync(join(this.paths.root, path), "utf8");
    } catch {
      return "";
    }
  }

  /** The shells that hold the lock, or wait to. */
  guardians(): number[] {
    return processes().filter(
      (pid) => textOf(pid, "cmdline").includes(this.paths.launcher) && parentOf(pid) === 1,
    );
  }

  /** What the launcher has started besides the agent. */
  helpers(): number[] {
    const guardians = this.guardians();
    return processes().filter(
      (pid) => guardians.includes(parentOf(pid)) && !textOf(pid, "environ").includes("IVY_RUN="),
    );
  }

  /** @returns how many there were */
  killHelpers(): number {
    const pids = this.helpers();
    for (const pid of pids) kill(pid);
    return pids.length;
  }

  /** The processes that the agents have started. */
  agents(): number[] {
    return processes().filter((pid) => textOf(pid, "environ").includes(`IVY_RUN=${this.paths.root}:`));
  }

  /** Kills the launcher alone. */
  async killGuardians(): Promise<void> {
    for (const pid of this.guardians()) kill(pid);
    while (this.guardians().length > 0) await sleep(10);
  }

  /** Everything is gone at once, as if the power were; what was written is there. */
  async cutPower(): Promise<void> {
    for (const pid of [...this.guardians(), ...this.agents()]) kill(pid);
    while (this.agents().length > 0) await sleep(10);
  }

  /** The attempts so far were made before the machine started anew. */
  reboot(generation: string): void {
    const folder = join(this.paths.trials, generation);
    for (const name of readdirSync(folder).filter((name) => name.startsWith("attempt-"))) {
      writeFileSync(join(folder, name, "boot"), "00000000-another-boot 1\n");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cutPower();
    rmSync(this.paths.root, { recursive: true, force: true });
  }
}

function kill(pid: number, signal: NodeJS.Signals = "SIGKILL"): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

function processes(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)/m.exec(textOf(pid, "status"))?.[1]);
}

function textOf(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
