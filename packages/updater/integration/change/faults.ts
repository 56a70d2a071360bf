import { join } from "node:path";
import {
  callsLeft,
  cutPower,
  type Recorded,
  record,
  setKill,
  withFaults,
  writeDisk,
} from "@ivy/tooling/file-faults";
import type { ChangeName } from "./changes.ts";
import { problemsOfEnd, problemsOfImage, toldOf } from "./problems.ts";
import type { Stage, Take } from "./stage.ts";

const NEVER = 1_000_000;

export interface Outcome {
  /** How it has settled. */
  end: "accepted" | "rejected" | "nothing";
  problems: string[];
}

/** How many calls change something below the root in one change, from the start of the launcher until it has settled. */
export async function countCalls(stage: Stage, template: Take): Promise<number> {
  await using take = stage.take();
  take.copyOf(template);
  const kill = join(take.folder, "kill");
  setKill(kill, NEVER);
  await take.start(withFaults(take.folder, { folder: take.root, kill }));
  if (!(await take.until(() => take.said().includes("settled"))))
    throw new Error("An undisturbed change does not settle");
  return NEVER - 1 - callsLeft(kill);
}

/** Kills before the call of this number, everything then, and starts the node as if nothing had been. */
export async function killBefore(
  stage: Stage,
  template: Take,
  change: ChangeName,
  call: number,
): Promise<Outcome> {
  await using take = stage.take();
  take.copyOf(template);
  const kill = join(take.folder, "kill");
  setKill(kill, call);
  const starting = take.start(withFaults(take.folder, { folder: take.root, kill }));
  await take.until(() => callsLeft(kill) === 0 || take.said().includes("settled"));
  await take.killAll();
  await starting;
  const problems = problemsOfImage(take.root, change, false);
  return await settle(take, change, { problems, said: [], powerCuts: 0 });
}

/** Records a change from the set-up of the node on. */
export async function recordChange(
  stage: Stage,
  change: ChangeName,
): Promise<{ recorded: Recorded; from: number }> {
  const recorded = await record(async (folder, environment) => {
    await using take = stage.take(folder);
    const said = join(folder, "said");
    take.setUp(change, environment, said);
    await take.start(environment, said);
    if (!(await take.until(() => take.said(said).includes("settled"))))
      throw new Error("An undisturbed change does not settle");
    await take.stop();
  });
  const from = recorded.statements.find(({ text }) => text === "set up")?.at ?? 0;
  return { recorded, from: from + 1 };
}

/** Cuts the power at a place and with losses that the seed determines, and starts the node with what is left. */
export async function cutPowerAt(
  stage: Stage,
  change: ChangeName,
  { recorded, from }: { recorded: Recorded; from: number },
  seed: number,
): Promise<Outcome & { at: number }> {
  await using take = stage.take();
  const { at, said, disk } = cutPower(recorded, seed, from);
  writeDisk(disk, take.root);
  const problems = problemsOfImage(take.root, change, true);
  return { at, ...(await settle(take, change, { problems, said, powerCuts: 1 })) };
}

async function settle(
  take: Take,
  change: ChangeName,
  before: { problems: string[]; said: string[]; powerCuts: number },
): Promise<Outcome> {
  const earlier = timesSettled(take);
  await take.start();
  const settled = await take.until(() => timesSettled(take) > earlier);
  const said = [...before.said, ...take.said()];
  const problems = [...before.problems, ...problemsOfEnd(take.root, change, said, before.powerCuts)];
  if (!settled) problems.push(`I9: it does not settle: ${said.join("; ")}`);
  const end = toldOf(take.root).at(-1) ?? "nothing";
  return { end, problems };
}

function timesSettled(take: Take): number {
  return take.said().filter((line) => line === "settled").length;
}
