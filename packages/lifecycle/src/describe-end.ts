import { redactText, spellingsOf } from "@ivy/types";
import type { ProcessEnd } from "./process-status.ts";

/** More of an error is not kept, in characters. */
const LONGEST = 500;

/** Why a process has ended by itself. */
export function describeEnd({ hungMs, error, signal, exitCode, stderrTail }: ProcessEnd): string {
  if (hungMs !== undefined) return `made no progress for ${(hungMs / 1_000).toFixed(1)} s`;
  if (error !== undefined) return error;
  const how = signal === null ? `exit code ${exitCode}` : signal;
  const lastLine = stderrTail.trim().split("\n").at(-1) ?? "";
  return lastLine === "" ? how : `${how}: ${lastLine}`;
}

/** A text as one line of bounded length, without secrets. */
export function strikeOut(text: string, secrets: readonly string[]): string {
  const line = redactText(text, spellingsOf(secrets)).replaceAll(/\s+/g, " ").trim();
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST - 3)}...`;
}
