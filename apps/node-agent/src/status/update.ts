import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename, join } from "node:path";
import type { RootPaths } from "@ivy/updater";

/** A change of the version or the configuration that is under way. */
export interface ChangeUnderWay {
  /** `trial`: what is new runs and has to prove itself; otherwise the state that the updater has noted. */
  state: string;
  from: string | null;
  to: string | null;
  /** Of a trial: the how manieth start it is. */
  attempt: number | null;
}

/** Looks for a change in the root of a node; a checkout has none. */
export function changeUnderWay(paths: RootPaths): ChangeUnderWay | null {
  const [active, lastGood] = [paths.active, paths.lastGood].map(generationOf);
  if (active !== undefined && active !== lastGood) {
    const attempt = attemptsOf(join(paths.trials, active));
    return { state: "trial", from: describe(lastGood), to: describe(active), attempt };
  }
  const journal = readJournal(paths.journal);
  if (journal === undefined) return null;
  const { state, from, to } = journal;
  return { state: state ?? "preparing", from: from ?? null, to: to ?? null, attempt: null };
}

/** Names of generations are `REVISION-DIGEST-VERSION`. */
function describe(generation: string | undefined): string | null {
  const [, revision, version] = /^(-?\d+)-[0-9a-f]+-(.+)$/.exec(generation ?? "") ?? [];
  return version === undefined ? (generation ?? null) : `${version}, revision ${revision}`;
}

function generationOf(link: string): string | undefined {
  try {
    return basename(readlinkSync(link));
  } catch {
    return undefined;
  }
}

function attemptsOf(trial: string): number | null {
  try {
    return readdirSync(trial).filter((name) => /^attempt-\d+$/.test(name)).length;
  } catch {
    return null;
  }
}

/** It may be of another version, and is only ever a report. */
function readJournal(file: string): Partial<Record<"state" | "from" | "to", string>> | undefined {
  try {
    const journal: Record<string, unknown> = JSON.parse(readFileSync(file, "utf8"));
    const texts = Object.entries(journal).filter(([, value]) => typeof value === "string");
    return Object.fromEntries(texts);
  } catch {
    return undefined;
  }
}
