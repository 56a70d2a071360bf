import { type ChildProcess, spawn } from "node:child_process";
import type { Writable } from "node:stream";
import { UpdateDeferredError } from "../../errors.ts";
import { guarded } from "../../guarded.ts";
import type { SourceLimits } from "../limits.ts";
import { explainGit } from "./explain-git.ts";
import type { GitRemote } from "./remote.ts";

const MAX_OUTPUT_BYTES = 2 ** 20;
const KEPT_STDERR = 4_096;

/** What of the environment git may see: the rest could change what it does, or is none of its business. */
const PASSED_ON = [
  "PATH",
  "HOME",
  "TMPDIR",
  "IVY_RUN",
  "SSH_AUTH_SOCK",
  "GIT_SSL_CAINFO",
  "SSL_CERT_FILE",
  "HTTPS_PROXY",
  "https_proxy",
  "NO_PROXY",
  "no_proxy",
];

/** Nothing of a repository is run, nothing is done by the way, nobody is asked. */
const SETTINGS = {
  "core.hooksPath": "/dev/null",
  "core.fsmonitor": "false",
  "fetch.recurseSubmodules": "false",
  "fetch.unpackLimit": "1",
  "gc.auto": "0",
  "maintenance.auto": "false",
  "http.followRedirects": "false",
  "http.lowSpeedLimit": "64",
};

/** Hands over what is on file descriptor 3, so that a token is in no argument, environment or file. */
const HELPER = '!f() { test "$1" = get && cat <&3; }; f';

/** With a limit on the size of files, for git has none; in units of 512 bytes. Without the signal, git says what failed. */
const LIMITED = 'trap "" XFSZ && ulimit -f "$1" && shift && exec git "$@"';

export interface GitOptions {
  /** Bare repository that git works in. */
  folder: string;
  remote: GitRemote;
  token?: string | undefined;
  limits: SourceLimits;
  signal: AbortSignal;
}

/**
 * Runs git in a process group of its own, which ends with this process, and with nothing of the configuration of the
 * system or the user.
 *
 * @returns what it printed
 * @throws UpdateDeferredError, UpdateRejectedError, or the reason of the signal
 */
export async function runGit(args: readonly string[], options: GitOptions): Promise<Buffer> {
  const { limits, token } = options;
  const settings = {
    ...SETTINGS,
    "http.lowSpeedTime": String(Math.ceil(limits.stallMs / 1_000)),
    ...helper(options),
  };
  const configured = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const most = String(Math.ceil(limits.archiveBytes / 512));
  const command = ["/bin/sh", "-c", LIMITED, "sh", most, ...configured, ...args];
  const [program = "", ...wrapped] = guarded(command);
  const child = spawn(program, wrapped, {
    env: environment(options),
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const credentials = child.stdio[3] as Writable;
  // Git may end without having asked.
  credentials.on("error", () => {});
  credentials.end(answerTo(options));
  const timeout = AbortSignal.timeout(limits.totalMs);
  const signal = AbortSignal.any([options.signal, timeout]);
  const { code, stdout, stderr } = await outcome(child, signal);
  options.signal.throwIfAborted();
  if (timeout.aborted) {
    const message = `git ${args[0]} was not done after ${limits.totalMs / 1_000} s`;
    throw new UpdateDeferredError("fetch", "IVY_TOO_SLOW", message);
  }
  if (code === 0) return stdout;
  throw explainGit(`git ${args[0]}`, token === undefined ? stderr : stderr.replaceAll(token, "[redacted]"));
}

function helper({ remote, token }: GitOptions): Record<string, string> {
  if (token === undefined || remote.origin === undefined) return {};
  return { [`credential.${remote.origin}.helper`]: HELPER };
}

/** What a credential helper answers. Code hosts look at the token alone, whatever the name of the user, but want one. */
function answerTo({ remote: { url, origin }, token }: GitOptions): string {
  if (token === undefined || origin === undefined) return "";
  const user = new URL(url).username === "" ? "username=oauth2\n" : "";
  return `${user}password=${token}\n`;
}

function environment({ folder, remote }: GitOptions): NodeJS.ProcessEnv {
  const passed = PASSED_ON.map((name) => [name, process.env[name]]).filter(
    ([, value]) => value !== undefined,
  );
  return {
    ...Object.fromEntries(passed),
    LC_ALL: "C",
    GIT_DIR: folder,
    GIT_ALLOW_PROTOCOL: remote.protocol,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "/bin/false",
    GIT_SSH_COMMAND: "ssh -o BatchMode=yes -o ConnectTimeout=30 -o ServerAliveInterval=20",
    GIT_SSH_VARIANT: "ssh",
  };
}

async function outcome(
  child: ChildProcess,
  signal: AbortSignal,
): Promise<{ code: number | null; stdout: Buffer; stderr: string }> {
  const kill = () => killGroup(child);
  signal.addEventListener("abort", kill, { once: true });
  if (signal.aborted) kill();
  const stdout: Buffer[] = [];
  let [bytes, stderr] = [0, ""];
  child.stdout?.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_OUTPUT_BYTES) kill();
    else stdout.push(chunk);
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-KEPT_STDERR);
  });
  try {
    const code = await new Promise<number | null>((ended, failed) => {
      child.once("close", ended).once("error", failed);
    });
    return { code, stdout: Buffer.concat(stdout), stderr };
  } finally {
    signal.removeEventListener("abort", kill);
  }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
