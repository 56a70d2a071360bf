import { execFile, execFileSync } from "node:child_process";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { build } from "tsup";
import type { ChangeName } from "./changes.ts";

/** In memory where that is to be had: each fault has a folder of its own. */
const SCRATCH = statSync("/dev/shm", { throwIfNoEntry: false })?.isDirectory() ? "/dev/shm" : tmpdir();
const LAUNCHER = join(import.meta.dirname, "../../launcher/ivy-cli.sh");
const PATIENCE_MS = 120_000;

/** Where changes are played, with the program that plays the agent. */
export class Stage implements Disposable {
  readonly folder: string;
  /** What all that is started finds in its environment besides. */
  environment: NodeJS.ProcessEnv = {};
  readonly #agent: string;
  #takes = 0;

  private constructor(folder: string) {
    this.folder = folder;
    this.#agent = join(folder, "agent.js");
  }

  static async build(): Promise<Stage> {
    const folder = realpathSync(mkdtempSync(join(SCRATCH, "ivy-change-")));
    await build({
      config: false,
      silent: true,
      entry: [join(import.meta.dirname, "agent.ts")],
      outDir: folder,
      format: "esm",
      target: "node24",
      noExternal: [/./],
      external: ["better-sqlite3"],
      removeNodeProtocol: false,
      outExtension: () => ({ js: ".js" }),
      banner: {
        js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);',
      },
      esbuildOptions: (options) => {
        options.conditions = ["@ivy/source"];
      },
    });
    return new Stage(folder);
  }

  /** @param root - of the node; a new folder otherwise */
  take(root?: string): Take {
    const number = ++this.#takes;
    return new Take(join(this.folder, `take-${number}`), root, this.#agent, this.environment);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** One node that makes a change. */
export class Take implements AsyncDisposable {
  readonly folder: string;
  readonly root: string;
  readonly #mark: string;
  readonly #agent: string;
  readonly #more: NodeJS.ProcessEnv;

  constructor(folder: string, root: string | undefined, agent: string, more: NodeJS.ProcessEnv) {
    this.folder = folder;
    this.root = root ?? join(folder, "root");
    this.#agent = agent;
    this.#more = more;
    this.#mark = `IVY_PLAY_SAID=${join(folder, "said")}`;
    mkdirSync(folder);
  }

  /** What is said goes to a file outside the root, which no fault concerns, or to the one that the recorder knows. */
  #environment(faults: NodeJS.ProcessEnv, said = join(this.folder, "said")): NodeJS.ProcessEnv {
    return {
      PATH: process.env["PATH"],
      ...this.#more,
      ...faults,
      NODE_OPTIONS: "",
      IVY_PLAY_AGENT: this.#agent,
      IVY_PLAY_SAID: said,
      IVY_PLAY_HARDWARE: join(this.folder, "hardware"),
    };
  }

  setUp(change: ChangeName, faults: NodeJS.ProcessEnv = {}, said?: string): void {
    mkdirSync(this.root, { recursive: true });
    execFileSync(process.execPath, [this.#agent, "set-up", this.root, LAUNCHER, change], {
      env: this.#environment(faults, said),
      stdio: ["ignore", "ignore", "inherit"],
    });
  }

  copyOf(template: Take): void {
    mkdirSync(this.root, { recursive: true });
    execFileSync("cp", ["-a", `${template.root}/.`, this.root]);
  }

  /** Starts the launcher as cron does; resolves when that has returned, whatever it says. */
  async start(faults: NodeJS.ProcessEnv = {}, said?: string): Promise<void> {
    const start = promisify(execFile)("sh", [join(this.root, "ivy-cli.sh"), "start"], {
      env: this.#environment(faults, said),
    });
    await start.catch((error: unknown) => appendFileSync(join(this.folder, "refused"), `${String(error)}\n`));
  }

  async stop(): Promise<void> {
    await promisify(execFile)("sh", [join(this.root, "ivy-cli.sh"), "stop"], { env: this.#environment({}) });
  }

  /** What was said by agents so far. */
  said(file = join(this.folder, "said")): string[] {
    return textOf(file).split("\n").filter(Boolean);
  }

  /** @returns whether it came to that */
  async until(condition: () => boolean): Promise<boolean> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!condition()) {
      if (performance.now() > deadline) return false;
      await sleep(20);
    }
    return true;
  }

  /** Kills everything that was started here, the launcher too. */
  async killAll(): Promise<void> {
    for (let pids = this.#processes(); pids.length > 0; pids = this.#processes()) {
      for (const pid of pids) kill(pid);
      await sleep(5);
    }
  }

  /** What agents have started, with themselves. */
  agents(): number[] {
    return processesWith(`IVY_RUN=${this.root}:`);
  }

  #processes(): number[] {
    return [...processesWith(`${this.#mark}\0`), ...this.agents()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.killAll();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function processesWith(inEnvironment: string): number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => textOf(`/proc/${pid}/environ`).includes(inEnvironment)).map(Number);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
