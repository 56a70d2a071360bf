import { readdirSync, readlinkSync } from "node:fs";
import { basename, join } from "node:path";
import type { State } from "@ivy/types";
import type { RootPaths } from "@ivy/updater";

/** A change of the version or the configuration that is under way. */
export interface ChangeUnderWay {
  /** `trial`: what is new runs and has to prove itself; `pending`: it is about to begin; otherwise the step. */
  state: string;
  from: string | null;
  to: string | null;
  /** Of a trial: the how manieth start it is. */
  attempt: number | null;
  /** What is being done, or what it waits for. */
  text: string | null;
}

/** Looks for a change in the root of a node and in its state; a checkout has no root. */
export function changeUnderWay(paths: RootPaths, state: Record<string, unknown> = {}): ChangeUnderWay | null {
  const [active, lastGood] = [paths.active, paths.lastGood].map(generationOf);
  const from = describe(active);
  if (active !== undefined && active !== lastGood) {
    const attempt = attemptsOf(join(paths.trials, active));
    return { state: "trial", from: describe(lastGood), to: from, attempt, text: null };
  }
  const { pending, update } = notedIn(state);
  const told = pending.find(
    ({ config_revision, software_version }) =>
      config_revision === update?.revision && software_version === update?.version,
  );
  const next = told ?? pending.at(-1);
  if (next === undefined) return null;
  const { step, text } =
    told !== undefined && update !== undefined ? update : { step: "pending", text: null };
  const to = `${next.software_version}, revision ${next.config_revision}`;
  return { state: step, from, to, attempt: null, text };
}

/** What the state tells of changes: it may be of another version, or Python Ivy's. */
function notedIn(state: Partial<Pick<State, "pending_configs" | "update">>) {
  const { pending_configs, update } = state;
  const configs = Array.isArray(pending_configs) ? pending_configs : [];
  return { pending: configs.flatMap((pending) => pending?.general ?? []), update };
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
