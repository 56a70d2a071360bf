import { readFileSync, rmSync } from "node:fs";
import { isCode, replaceFile } from "@ivy/files";
import * as z from "zod/mini";
import { Wait } from "./wait.ts";

/** How far the change under way is. */
export const JournalEntry = z.object({
  schema: z.literal(1),
  /** Of the configuration that asks for it. */
  digest: z.string(),
  revision: z.int(),
  version: z.string(),
  /** How often it has failed for a reason that says nothing about it. */
  failures: z.int(),
  /** Not to be tried before this instant. */
  notBefore: Wait,
  /** What it waits for, or what failed last. */
  reason: z.string(),
});
export type JournalEntry = z.infer<typeof JournalEntry>;

/** Reads the journal. One that is missing or damaged is none: it only spares waits, so it can be lost without harm. */
export function readJournal(file: string): JournalEntry | undefined {
  try {
    return JournalEntry.safeParse(JSON.parse(readFileSync(file, "utf8"))).data;
  } catch {
    return undefined;
  }
}

export function writeJournal(file: string, entry: JournalEntry): void {
  replaceFile(file, `${JSON.stringify(entry, undefined, 2)}\n`, 0o600);
}

export function clearJournal(file: string): void {
  try {
    rmSync(file);
  } catch (error) {
    if (!isCode(error, "ENOENT")) throw error;
  }
}
