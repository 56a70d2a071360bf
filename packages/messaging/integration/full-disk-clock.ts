const BEGIN = Date.UTC(2030, 0, 1);
/** Messages of a day: so new files are due while the disk is full as well. */
const PER_DAY = 100;
const DAY_MS = 86_400_000;

/** When a message is added, by the clock of the test. */
export function timeOf(number: number): number {
  return BEGIN + Math.floor((number * DAY_MS) / PER_DAY);
}

/** The days on which so many messages are added. */
export function daysOf(count: number): string[] {
  const days = Array.from({ length: Math.ceil(count / PER_DAY) + 1 }, (_, day) => BEGIN + day * DAY_MS);
  return days.map((time) => new Date(time).toISOString().slice(0, 10));
}
