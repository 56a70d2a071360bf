const FIRST_MS = 500;
const LONGEST_MS = 60_000;
/** No pause is shorter, and after a refusal none is shorter than this many times as long. */
const SHORTEST_MS = 100;
const REFUSED_FACTOR = 100;

/**
 * The pause before the next attempt to connect, in milliseconds. It is drawn evenly from below a bound that doubles
 * with each failure: nodes that lost the same broker at the same time do not come back at the same time.
 *
 * @param failures - how many attempts have failed in a row, from 1 on
 * @param refused - whether the broker refused us; then nothing is gained by hurrying
 */
export function backOff(failures: number, refused: boolean, random: () => number = Math.random): number {
  const bound = refused ? LONGEST_MS : Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1));
  const shortest = refused ? SHORTEST_MS * REFUSED_FACTOR : SHORTEST_MS;
  return shortest + random() * (bound - shortest);
}
