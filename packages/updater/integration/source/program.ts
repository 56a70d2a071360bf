import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import type { DownloadOptions } from "../../src/source/download-source-code.ts";

export interface Outcome {
  treeId?: string;
  name?: string;
  code?: string;
  message?: string;
  peakKilobytes: number;
}

/** Fetches a version in a process of its own, which trusts the authority of the tests. */
export function startFetching(
  { signal: _signal, ...options }: DownloadOptions,
  { caFile, env = process.env }: { caFile: string; env?: NodeJS.ProcessEnv },
): { child: ChildProcess; outcome(): Promise<Outcome> } {
  const child = spawn(
    process.execPath,
    ["--conditions=@ivy/source", join(import.meta.dirname, "fetch-program.ts")],
    {
      env: { ...env, NODE_EXTRA_CA_CERTS: caFile },
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  child.stdin.end(JSON.stringify(options));
  const ended = Promise.all([text(child.stdout), once(child, "close")]);
  return { child, outcome: async () => JSON.parse((await ended)[0]) as Outcome };
}
