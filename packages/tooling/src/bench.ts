import { readdirSync, readFileSync } from "node:fs";

/** One result of a benchmark. */
export interface Figure {
  name: string;
  value: number;
  unit: string;
  /** What it is held against, measured in the same run. */
  beside?: { name: string; value: number };
  /** A bound on the ratio of the two or, where there is nothing beside it, on the value. */
  goal: { atLeast: number } | { atMost: number };
}

/** Prints a result as one line of JSON, which `npm run bench` turns into a table. */
export function printFigure({ name, value, unit, beside, goal }: Figure): void {
  const ratio = beside === undefined ? null : value / beside.value;
  const judged = ratio ?? value;
  const [text, holds] =
    "atLeast" in goal
      ? [`at least ${goal.atLeast}`, judged >= goal.atLeast]
      : [`at most ${goal.atMost}`, judged <= goal.atMost];
  const figure = {
    name,
    value: rounded(value),
    unit,
    beside: beside?.name ?? null,
    besideValue: beside === undefined ? null : rounded(beside.value),
    ratio: ratio === null ? null : rounded(ratio),
    goal: text,
    holds,
  };
  process.stdout.write(`${JSON.stringify(figure)}\n`);
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** @param part - from 0 to 1 */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}

/** Runs two things in turn, so that a machine that becomes faster or slower does so for both; the medians of each. */
export async function inTurn(
  rounds: number,
  one: () => number | Promise<number>,
  other: () => number | Promise<number>,
): Promise<[number, number]> {
  const results: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    results[0].push(await one());
    results[1].push(await other());
  }
  return [median(results[0]), median(results[1])];
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

/** How often the threads of a process have been woken so far: each time, they have given up the processor by themselves. */
export function wakeUpsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8");
    return sum + Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1]);
  }, 0);
}
