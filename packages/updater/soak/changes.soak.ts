// Kills a change before each call that changes a file, and cuts its power at random ones, for versions and configurations
// that work and that do not.
import { parseArgs } from "node:util";
import { hasCompiler } from "@ivy/tooling/file-faults";
import { CHANGES, type ChangeName } from "../integration/change/changes.ts";
import {
  countCalls,
  cutPowerAt,
  killBefore,
  type Outcome,
  recordChange,
} from "../integration/change/faults.ts";
import { inParallel } from "../integration/change/in-parallel.ts";
import { Stage } from "../integration/change/stage.ts";

const AT_ONCE = 6;
const CUTS_EACH = 200;

const { values } = parseArgs({ options: { scale: { type: "string", default: "1" } } });
const scale = Math.min(1, Number(values.scale));

if (!hasCompiler) {
  console.log("changes: left out, for they need a C compiler (apt-get install gcc libc6-dev)");
  process.exit(0);
}
using stage = await Stage.build();
for (const change of Object.keys(CHANGES) as ChangeName[]) {
  await using template = stage.take();
  template.setUp(change);
  const calls = await countCalls(stage, template);
  const places = numbers(calls).filter((call) => Math.floor(call * scale) !== Math.floor((call - 1) * scale));
  const killed = await inParallel(places, AT_ONCE, (call) => killBefore(stage, template, change, call));
  report(`kills of ${change}, before ${places.length} of ${calls} calls`, places, killed);

  const recording = await recordChange(stage, change);
  const seeds = numbers(Math.ceil(CUTS_EACH * scale));
  const cut = await inParallel(seeds, AT_ONCE, (seed) => cutPowerAt(stage, change, recording, seed));
  report(`power cuts of ${change}: ${seeds.length}`, seeds, cut);
}

function report(what: string, places: readonly number[], outcomes: readonly Outcome[]): void {
  const count = (end: Outcome["end"]) => outcomes.filter((outcome) => outcome.end === end).length;
  const bad = outcomes
    .map((outcome, index) => ({ ...outcome, place: places[index] }))
    .filter(({ problems }) => problems.length > 0);
  console.log(
    `${what}; accepted: ${count("accepted")}, rejected: ${count("rejected")}, with problems: ${bad.length}`,
  );
  for (const { place, problems } of bad.slice(0, 10)) console.log(`  at ${place}: ${problems.join("; ")}`);
  if (bad.length > 0) process.exitCode = 1;
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
