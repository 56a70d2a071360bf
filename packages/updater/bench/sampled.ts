import { readdirSync, readFileSync } from "node:fs";

/** How often the processes of a step are looked at, in milliseconds. */
const SAMPLE_MS = 10;

export interface Usage {
  /** The most that all processes of the step held at the same instant; what they share counts for each of them. */
  peakBytes: number;
  writtenBytes: number;
  seconds: number;
}

/** Runs something, and watches all processes that have an entry in their environment. */
export async function sampled(entry: string, run: () => Promise<unknown>): Promise<Usage> {
  let [peakBytes, writtenBytes] = [0, 0];
  const sample = () => {
    const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && hasEntry(name, entry));
    const sum = (file: string, pattern: RegExp) =>
      pids.reduce((total, pid) => total + numberIn(`/proc/${pid}/${file}`, pattern), 0);
    peakBytes = Math.max(peakBytes, sum("smaps_rollup", /^Rss: +(\d+)/m) * 1_024);
    // What an ended process has written counts for its parent from then on.
    writtenBytes = Math.max(writtenBytes, sum("io", /^write_bytes: (\d+)/m));
  };
  const began = performance.now();
  using _sampling = setInterval(sample, SAMPLE_MS);
  await run();
  const seconds = (performance.now() - began) / 1_000;
  return { peakBytes, writtenBytes, seconds };
}

function hasEntry(pid: string, entry: string): boolean {
  return read(`/proc/${pid}/environ`).split("\0").includes(entry);
}

function numberIn(file: string, pattern: RegExp): number {
  return Number(pattern.exec(read(file))?.[1] ?? 0);
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
