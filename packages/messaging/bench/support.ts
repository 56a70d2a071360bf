import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MessageBody } from "@ivy/types";

export const BODY = {
  variant: "data",
  data: { temperature: 21.4, humidity: 55.2, pressure: 1013.25 },
} as const satisfies MessageBody;

/** A line of the log with that body is as long as this one. */
export const LINE = `{"v":1,"id":"abcdefgh-123456","t":1764000000000,"m":${JSON.stringify(BODY)},"c":"01234567"}\n`;

/** A folder that is removed with what is in it. */
export function temporary(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "ivy-bench-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Starts a program below `fixtures/`, which says when it is ready. */
export async function startFixture(name: string, ...args: string[]): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, "fixtures", `${name}.ts`), args, {
    execArgv: ["--conditions=@ivy/source"],
  });
  await once(child, "message");
  return child;
}

/** What the process alone holds in memory and would be missing elsewhere, in MB. */
export function privateMemory(pid: number): number {
  const [, kilobytes] =
    /Private_Dirty:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")) ?? [];
  return Number(kilobytes) / 1024;
}
