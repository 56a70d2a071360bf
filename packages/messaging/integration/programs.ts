import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** A program of `fixtures/`, with its standard input and output as pipes. */
export interface Program extends AsyncDisposable {
  readonly child: ChildProcess & { stdin: NodeJS.WritableStream; stdout: NodeJS.ReadableStream };
  /** Resolves with the exit code, or `null` after a signal, once it has ended and all it wrote is read. */
  readonly ended: Promise<number | null>;
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** Starts a program, which finds the packages as this process does: their sources, or what was built. */
export function startProgram(
  fixture: string,
  args: readonly (string | number)[],
  env: NodeJS.ProcessEnv = process.env,
): Program {
  const file = join(import.meta.dirname, "fixtures", `${fixture}.ts`);
  const child = spawn(process.execPath, [...process.execArgv, file, ...args.map(String)], {
    env,
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.on("error", () => undefined);
  const ended = once(child, "close").then(([code]) => code as number | null);
  const kill = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await ended;
  };
  return { child, ended, kill, [Symbol.asyncDispose]: () => kill("SIGKILL") };
}
