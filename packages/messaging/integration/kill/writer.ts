import { createInterface } from "node:readline";
import { type Program, startProgram } from "../programs.ts";

/** Numbers of one life lie together: so many are free for each. */
export const NUMBERS_PER_LIFE = 1_000_000;

/** A writer that is started again whenever it is killed. */
export class KilledWriter implements AsyncDisposable {
  readonly name: string;
  /** What it said was stored, in the order of its saying. */
  readonly stored: number[] = [];
  readonly #dataDir: string;
  #lives = 0;
  #program: Program;

  constructor(name: string, dataDir: string) {
    this.name = name;
    this.#dataDir = dataDir;
    this.#program = this.#start();
  }

  async restart(): Promise<void> {
    await this.kill();
    this.#program = this.#start();
  }

  /** Resolves when all that it said before its death has been read. */
  async kill(): Promise<void> {
    await this.#program.kill("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #start(): Program {
    const first = this.#lives++ * NUMBERS_PER_LIFE;
    const program = startProgram("kill-add", [this.#dataDir, this.name, first]);
    // A chunk may end within a line, so it takes a reader of lines.
    createInterface(program.child.stdout).on("line", (line) => this.stored.push(Number(line)));
    return program;
  }
}
