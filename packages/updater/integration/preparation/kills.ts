import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readJournal } from "../../src/change/journal.ts";
import { rootPaths } from "../../src/root/paths.ts";
import { readSeal } from "../../src/root/seal.ts";
import { problemsOfEnd, problemsOfImage, toldOf } from "../change/problems.ts";
import type { Take } from "../change/stage.ts";
import type { Workshop } from "./workshop.ts";

const CHANGE = "a version that works";

/** Whose death it is; what a step has started dies as a group. */
export const VICTIMS = ["the main process", "the preparing process", "a step"] as const;
export type Victim = (typeof VICTIMS)[number];

/** A step of the preparation, and how long it takes undisturbed. */
export interface TimedStep {
  name: string;
  ms: number;
}

export interface Kill {
  victim: Victim;
  step: string;
  /** Milliseconds since the step has begun. */
  after: number;
}

export interface KillOutcome extends Kill {
  end: "accepted" | "rejected" | "nothing";
  /** Whether there was somebody to kill. */
  met: boolean;
  problems: string[];
}

/** Prepares a version without any fault, and tells how long each step takes. */
export async function timeSteps({ stage, template }: Workshop): Promise<TimedStep[]> {
  await using take = stage.take();
  take.copyOf(template);
  await take.start();
  if (!(await take.until(() => take.said().includes("settled"))))
    throw new Error(`An undisturbed change does not settle: ${take.said().join("; ")}`);
  const begun = take.said().flatMap((line) => /^step (\w+) (\d+)$/.exec(line) ?? []);
  const steps: { name: string; at: number }[] = [];
  for (let index = 0; index < begun.length; index += 3)
    steps.push({ name: begun[index + 1] ?? "", at: Number(begun[index + 2]) });
  return steps.flatMap(({ name, at }, index) => {
    const next = steps[index + 1];
    return next === undefined ? [] : [{ name, ms: next.at - at }];
  });
}

/** So many kills, spread evenly over the whole of a preparation, of each victim in turn. */
export function spreadKills(steps: readonly TimedStep[], count: number): Kill[] {
  const whole = steps.reduce((sum, { ms }) => sum + ms, 0);
  return Array.from({ length: count }, (_, index) => {
    let after = (whole * (index + 0.5)) / count;
    const step = steps.find(({ ms }) => {
      if (after < ms) return true;
      after -= ms;
      return false;
    });
    const victim = VICTIMS[index % VICTIMS.length] as Victim;
    return { victim, step: step?.name ?? "", after: Math.round(after) };
  });
}

/** Kills one of a node that prepares a version, then starts the node as if nothing had been. */
export async function killDuring({ stage, template }: Workshop, kill: Kill): Promise<KillOutcome> {
  await using take = stage.take();
  take.copyOf(template);
  const starting = take.start();
  await take.until(() => hasBegun(take, kill.step) || take.said().includes("settled"));
  await sleep(kill.after);
  const met = strike(take, kill.victim);
  const problems = problemsOfImage(take.root, CHANGE, false);
  const { journal } = rootPaths(take.root);
  await take.until(() => take.said().includes("settled") || (readJournal(journal)[0]?.failures ?? 0) > 0);
  await starting;
  // Whoever kills the suite of a version is taken for a part of it.
  const mayBeRejected = kill.victim === "a step" && hasBegun(take, "test");
  if (!take.said().includes("settled")) problems.push(...(await takeUpAgain(take, kill.victim)));
  // One that was killed when all was settled already is started again.
  await take.until(() => take.agents().length === 1);
  const end = toldOf(take.root).at(-1) ?? "nothing";
  return { ...kill, met, end, problems: [...problems, ...problemsAtEnd(take, mayBeRejected, end)] };
}

function hasBegun(take: Take, step: string): boolean {
  return take.said().some((line) => line.startsWith(`step ${step} `));
}

/** What has failed for now is tried again later: what is left of it meanwhile, and whether that comes to its end. */
async function takeUpAgain(take: Take, victim: Victim): Promise<string[]> {
  const problems: string[] = [];
  if (!(await take.until(() => take.agents().length === 1)))
    problems.push(`it waits, and ${take.agents().length} processes run`);
  const { trash } = rootPaths(take.root);
  if (victim === "a step" && (existsSync(join(take.root, "2.0.0")) || readdirSync(trash).length > 0))
    problems.push("it waits, and what has failed takes room");
  await take.stop();
  // Its time has come.
  rmSync(rootPaths(take.root).journal);
  await take.start();
  if (!(await take.until(() => take.said().includes("settled"))))
    problems.push(`I9: it does not settle: ${take.said().join("; ")}`);
  return problems;
}

/** @returns whether there was somebody to kill */
function strike(take: Take, victim: Victim): boolean {
  const processes = take.agents().map((pid) => ({ pid, parent: parentOf(pid) }));
  const isAgent = (pid: number) => processes.some((other) => other.pid === pid);
  const main = processes.find(({ parent }) => !isAgent(parent));
  const preparing = processes.find(({ parent }) => parent === main?.pid);
  const step = processes.find(({ parent }) => parent === preparing?.pid);
  const found = { "the main process": main, "the preparing process": preparing, "a step": step }[victim];
  if (found === undefined) return false;
  try {
    process.kill(victim === "a step" ? -found.pid : found.pid, "SIGKILL");
    return true;
  } catch {
    // It has ended by itself.
    return false;
  }
}

function problemsAtEnd(take: Take, mayBeRejected: boolean, end: KillOutcome["end"]): string[] {
  const paths = rootPaths(take.root);
  const list = (folder: string) => (existsSync(folder) ? readdirSync(folder) : []);
  const versions = list(take.root).filter((name) => /^\d/.test(name));
  const expected = end === "accepted" ? ["1.0.0", "2.0.0"] : ["1.0.0"];
  return [
    ...problemsOfEnd(take.root, CHANGE, take.said(), 0).filter(
      (problem) => !(mayBeRejected && problem.startsWith("I10")),
    ),
    ...(versions.toString() === expected.toString() ? [] : [`these versions are left: ${versions}`]),
    ...versions.flatMap((version) =>
      readSeal(join(take.root, version)) === undefined ? [`${version} is not sealed`] : [],
    ),
    ...[...list(paths.stage), ...list(paths.trash)].map((name) => `${name} is left`),
    ...(end === "accepted" && existsSync(`${paths.store}.claim`) ? ["the store is claimed still"] : []),
    ...(take.agents().length === 1 ? [] : [`${take.agents().length} processes run`]),
  ];
}

function parentOf(pid: number): number {
  try {
    return Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  } catch {
    return 0;
  }
}
