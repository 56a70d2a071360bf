import type { Arrivals } from "./arrivals.ts";
import { type KilledWriter, NUMBERS_PER_LIFE } from "./writer.ts";

/** Every message that was acknowledged and has not arrived. */
export function missingOf(writers: readonly KilledWriter[], arrivals: Arrivals): string[] {
  return writers.flatMap(({ name, stored }) =>
    stored.filter((number) => !arrivals.has(name, number)).map((number) => `${name}:${number}`),
  );
}

/** What is wrong with what has arrived. */
export function problemsOf(writers: readonly KilledWriter[], arrivals: Arrivals, inFlight: number): string[] {
  return [
    ...missingOf(writers, arrivals).map((key) => `${key} was acknowledged and has not arrived`),
    ...writers.flatMap(({ name }) => orderProblems(name, arrivals.of(name))),
    ...arrivals.mistaken,
    ...[...arrivals.repeated]
      .filter(([, count]) => count > inFlight)
      .map(([connection, count]) => `${count} messages came again over connection ${connection}`),
  ];
}

/** What was stored of each life is all it had added, up to some message: numbers without a gap, in their order. */
function orderProblems(writer: string, numbers: readonly number[]): string[] {
  return numbers.flatMap((number, index) => {
    const before = numbers[index - 1];
    const isNext = before !== undefined && number === before + 1;
    const isFirst = number % NUMBERS_PER_LIFE === 0 && number > (before ?? -1);
    return isNext || isFirst ? [] : [`${writer}:${number} came after ${before}`];
  });
}
