import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "@ivy/files";
import * as z from "zod/mini";
import type { RootPaths } from "./paths.ts";
import { readRecord } from "./read-record.ts";

/** Why a generation was left: `verdict.json`, written by the launcher before it goes back. */
export const Verdict = z.object({
  schema: z.literal(1),
  result: z.literal("failed"),
  /**
   * - `exited`: it ended by itself, each time
   * - `deadline`: it had not proven that it works when its time was over
   * - `corrupt`: its files are not those that were sealed
   * - `power`: the machine lost its power, or somebody stopped the launcher or the machine, in too many attempts
   * - `not-runnable`: its Node or its main program cannot be started
   * - `unknown`: the verdict itself is damaged
   */
  reason: z.enum(["exited", "deadline", "corrupt", "power", "not-runnable", "unknown"]),
  attempts: z.number(),
  /** Exit code of the last attempt, `deadline`, `signal` (the launcher was told to stop), or nothing of these. */
  lastExit: z.string(),
  /** End of what the last attempt wrote to standard error. */
  logTail: z.string(),
});
export type Verdict = z.infer<typeof Verdict>;

/** @returns `undefined` where a generation has not failed; a damaged verdict is one too, as the launcher takes it */
export function readVerdict({ trials }: Pick<RootPaths, "trials">, generation: string): Verdict | undefined {
  const file = join(trials, generation, "verdict.json");
  return existsSync(file) ? (readRecord(file, Verdict) ?? DAMAGED) : undefined;
}

const DAMAGED: Verdict = {
  schema: 1,
  result: "failed",
  reason: "unknown",
  attempts: 0,
  lastExit: "",
  logTail: "",
};

/**
 * Tells the launcher that a trial could not go on for a reason that is not the generation's: its time is moved by that.
 *
 * @param attempt - folder of the attempt (`IVY_TRIAL`)
 * @param seconds - since the start of this attempt, all together; whole seconds
 * @param isProvisional - whether that is the reason is not known yet: an attempt that a power cut ends then counts
 */
export function reportGrace(attempt: string, seconds: number, isProvisional = false): void {
  replaceFile(join(attempt, "grace"), `${Math.floor(seconds)}${isProvisional ? " asking" : ""}\n`);
}

/** What was told of an attempt by {@link reportGrace}, in seconds. */
export function readGrace(attempt: string): number {
  const file = join(attempt, "grace");
  return existsSync(file) ? Number.parseInt(readFileSync(file, "utf8"), 10) || 0 : 0;
}
