// Kills one of the processes of a node that prepares a version, from a git remote and a registry, at places spread over
// the whole of it.
import { parseArgs } from "node:util";
import { inParallel } from "../integration/change/in-parallel.ts";
import { killDuring, spreadKills, timeSteps, VICTIMS } from "../integration/preparation/kills.ts";
import { openWorkshop } from "../integration/preparation/workshop.ts";

const AT_ONCE = 4;
const KILLS = 300;

const { values } = parseArgs({ options: { scale: { type: "string", default: "1" } } });

await using workshop = await openWorkshop();
const steps = await timeSteps(workshop);
console.log(`undisturbed: ${steps.map(({ name, ms }) => `${name} ${ms} ms`).join(", ")}`);
const kills = spreadKills(steps, Math.ceil(KILLS * Math.min(1, Number(values.scale))));
const outcomes = await inParallel(kills, AT_ONCE, (kill) => killDuring(workshop, kill));
for (const victim of VICTIMS) {
  const own = outcomes.filter((outcome) => outcome.victim === victim);
  const count = (end: string) => own.filter((outcome) => outcome.end === end).length;
  const bad = own.filter(({ problems }) => problems.length > 0);
  console.log(
    `kills of ${victim}: ${own.filter(({ met }) => met).length} of ${own.length} met it; accepted: ${count("accepted")}, rejected: ${count("rejected")}, with problems: ${bad.length}`,
  );
  for (const { step, after, problems } of bad.slice(0, 10))
    console.log(`  ${after} ms after the start of ${step}: ${problems.join("; ")}`);
  if (bad.length > 0) process.exitCode = 1;
}
