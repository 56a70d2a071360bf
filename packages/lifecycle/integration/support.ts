import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished, vi } from "vitest";
import { startTicks } from "../src/process-info.ts";

export function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "ivy-lifecycle-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** The pid that a process has left in a file. */
export function pidOf(file: string): number {
  const pid = Number(readFileSync(file, "utf8"));
  if (!(pid > 0)) throw new Error(`${file} holds no pid yet`);
  return pid;
}

export function alive(pid: number): boolean {
  return startTicks(pid) !== undefined;
}

/** Waits until a check holds. */
export function until<Result>(check: () => Result): Promise<Result> {
  return vi.waitFor(check, { timeout: 20_000, interval: 10 });
}
