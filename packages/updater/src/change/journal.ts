import { readFileSync, rmSync } from "node:fs";
import { isCode, replaceFile } from "@ivy/files";
import * as z from "zod/mini";
import { Wait } from "./wait.ts";

/** Changes that are remembered: one of each origin waits at a time, and what has vanished is forgotten in the end. */
const REMEMBERED = 8;

/** How far a change is that has had to wait. */
const JournalEntry = z.object({
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

const Journal = z.object({ schema: z.literal(2), changes: z.array(JournalEntry) });

/** Reads the journal. One that is missing or damaged is empty: it only spares waits, so it can be lost without harm. */
export function readJournal(file: string): JournalEntry[] {
  try {
    return Journal.safeParse(JSON.parse(readFileSync(file, "utf8"))).data?.changes ?? [];
  } catch {
    return [];
  }
}

export function writeJournal(file: string, entry: JournalEntry): void {
  write(file, [...others(file, entry.digest), entry].slice(-REMEMBERED));
}

/** Forgets the change that the configuration of a digest asks for. */
export function clearJournal(file: string, digest: string): void {
  const changes = others(file, digest);
  if (changes.length === 0) remove(file);
  else write(file, changes);
}

function others(file: string, digest: string): JournalEntry[] {
  return readJournal(file).filter((entry) => entry.digest !== digest);
}

function write(file: string, changes: JournalEntry[]): void {
  replaceFile(file, `${JSON.stringify({ schema: 2, changes }, undefined, 2)}\n`, 0o600);
}

function remove(file: string): void {
  try {
    rmSync(file);
  } catch (error) {
    if (!isCode(error, "ENOENT")) throw error;
  }
}
