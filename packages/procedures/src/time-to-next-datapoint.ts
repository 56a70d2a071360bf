/**
 * The time until the next data point is due, in seconds: more than 0, at most the interval. Data points keep to a grid
 * that starts at midnight of local time: with an interval of 10 they fall on 00:00:00, 00:00:10, 00:00:20, ...
 *
 * @param secondsBetweenDatapoints - the interval in seconds, more than 0
 * @param now - the wall clock, in Unix milliseconds
 */
export function getTimeToNextDatapoint(
  secondsBetweenDatapoints: number,
  now: () => number = Date.now,
): number {
  const instant = new Date(now());
  const seconds =
    instant.getHours() * 3_600 +
    instant.getMinutes() * 60 +
    instant.getSeconds() +
    instant.getMilliseconds() / 1_000;
  return secondsBetweenDatapoints - (seconds % secondsBetweenDatapoints);
}
