import { execFile } from "node:child_process";
import { delimiter, join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "../../../..");

/** The pinned tools first, and nothing of how this test was started. */
const ENVIRONMENT: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: [join(ROOT, "node_modules/.bin"), process.env["PATH"]].join(delimiter),
  NODE_OPTIONS: "",
  TURBO_TELEMETRY_DISABLED: "1",
};

export interface CommandResult {
  code: number;
  stdout: string;
  /** What it printed on both streams. */
  output: string;
}

/** Runs a command to its end, whatever that is. */
export function run(cwd: string, command: string, ...args: string[]): Promise<CommandResult> {
  return new Promise((resolve) => {
    const options = { cwd, env: ENVIRONMENT, maxBuffer: 2 ** 26 };
    execFile(command, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
      resolve({ code, stdout, output: stdout + stderr });
    });
  });
}

/** Runs a command that must succeed; returns what it printed on its standard output. */
export async function succeed(cwd: string, command: string, ...args: string[]): Promise<string> {
  const { code, stdout, output } = await run(cwd, command, ...args);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with exit code ${code}:\n${output}`);
  return stdout;
}
