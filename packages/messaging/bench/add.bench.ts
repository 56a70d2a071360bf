// Adding, in the class that survives the death of the process, beside a bare loop of appends of the same line.
import { once } from "node:events";
import { inTurn, printFigure } from "@ivy/tooling/bench";
import { startFixture, temporary } from "./support.ts";

const MESSAGES = 200_000;
const ROUNDS = 5;

type Way = "raw" | "timedRaw" | "callers" | "one";

/** Messages a second of some processes together, and the slowest of all calls in milliseconds. */
async function write(way: Way, processes: number): Promise<{ rate: number; slowest: number }> {
  using folder = temporary();
  const each = Math.round(MESSAGES / processes);
  const writers = await Promise.all(
    Array.from({ length: processes }, () => startFixture("writer", way, folder.path, String(each))),
  );
  const begin = performance.now();
  const ended = writers.map(async (writer) => Number((await once(writer, "message"))[0]));
  for (const writer of writers) writer.send("go");
  const slowest = Math.max(...(await Promise.all(ended)));
  return { rate: (each * processes) / ((performance.now() - begin) / 1_000), slowest };
}

const rate = (way: Way, processes: number) => async () => (await write(way, processes)).rate;

for (const [name, way, processes] of [
  ["add, 1 process, 100 callers", "callers", 1],
  ["add, 4 processes, 100 callers each", "callers", 4],
  ["add, 1 process, each awaited", "one", 1],
] as const) {
  const [value, raw] = await inTurn(ROUNDS, rate(way, processes), rate("raw", processes));
  const beside = { name: "bare O_APPEND loop", value: raw };
  printFigure({ name, value, unit: "messages/s", beside, goal: { atLeast: 0.8 } });
}

const { slowest } = await write("one", 4);
const { slowest: slowestRaw } = await write("timedRaw", 4);
printFigure({
  name: "slowest add of 4 saturating writers",
  value: slowest,
  unit: "ms",
  goal: { atMost: 15 },
});
process.stderr.write(`slowest append of 4 bare loops: ${slowestRaw.toFixed(1)} ms\n`);
