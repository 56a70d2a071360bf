// What the npm scripts share. Runs under any Node from 18 on, before anything is installed, so: no dependency, no TypeScript.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** Environment in which `node` is the pinned Node, and `pnpm`, `turbo` and the rest the pinned ones. */
export const environment = {
  ...process.env,
  PATH: `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH ?? ""}`,
  TURBO_TELEMETRY_DISABLED: "1",
};

/**
 * Installs what the lockfile names, unless exactly that is installed already.
 *
 * @param {"inherit" | number} stdout - where what is printed goes
 */
export async function install(stdout = "inherit") {
  if (isInstalled()) return;
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  await mustSucceed("npx", ["--yes", packageManager, "install", "--frozen-lockfile"], environment, stdout);
}

/** pnpm keeps a copy of the lockfile that it has installed from. */
function isInstalled() {
  try {
    const installed = readFileSync(join(root, "node_modules/.pnpm/lock.yaml"), "utf8");
    return installed === readFileSync(join(root, "pnpm-lock.yaml"), "utf8");
  } catch {
    return false;
  }
}

/**
 * Runs a command in the foreground, hands signals on to it, and resolves with its exit code once it has ended.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @param {"inherit" | number} stdout - where what it prints goes
 * @param {string} cwd - folder that it runs in
 * @returns {Promise<number>}
 */
export function run(command, args, env = environment, stdout = "inherit", cwd = root) {
  const child = spawn(command, args, { cwd, env, stdio: ["inherit", stdout, "inherit"] });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}

/** Runs a command and ends this process with its exit code if that is not 0. */
export async function mustSucceed(command, args, env = environment, stdout = "inherit") {
  const code = await run(command, args, env, stdout);
  if (code !== 0) process.exit(code);
}
