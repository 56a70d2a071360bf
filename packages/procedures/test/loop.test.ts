import { describe, expect, it, vi } from "vitest";
import { type Clock, forEachDatapoint, getTimeToNextDatapoint, type Turn } from "../src/index.ts";

const at = (time: string) => () => new Date(`2026-03-01T${time}`).getTime();

describe("the time to the next data point", () => {
  it.each([
    [10, "12:00:03", 7],
    [10, "12:00:00", 10],
    [10, "12:00:09.999", 0.001],
    [120, "00:01:30", 30],
    [7_200, "23:59:59", 1],
    [7, "00:00:15", 6],
  ])("with an interval of %d s at %s is %d s", (seconds, time, expected) => {
    expect(getTimeToNextDatapoint(seconds, at(time))).toBeCloseTo(expected, 6);
  });
});

/** A clock that runs as fast as the loop does; sleeps may end a little early or late. */
function fakeClock(start: number, deviationMs: () => number = () => 0) {
  let now = start;
  const clock: Clock = {
    now: () => now,
    sleep: async (seconds) => {
      now += Math.max(0, seconds * 1_000 + deviationMs());
    },
  };
  return { clock, now: () => now, step: (ms: number) => (now += ms) };
}

async function datapoints(
  count: number,
  fake: ReturnType<typeof fakeClock>,
  measure: () => void = () => undefined,
) {
  const ended = new AbortController();
  const exception = vi.fn();
  const points: number[] = [];
  const node = { signal: ended.signal, logger: { exception, info: () => undefined } };
  await forEachDatapoint({ seconds: 10, node, clock: fake.clock }, () => {
    points.push(Math.round(fake.now() / 1_000));
    if (points.length === count) ended.abort();
    measure();
  });
  return { points: points.map((point) => point - (points[0] ?? 0)), exception };
}

describe("the loop of a procedure", () => {
  it("measures at every point of the grid", async () => {
    expect((await datapoints(4, fakeClock(at("12:00:03")()))).points).toEqual([0, 10, 20, 30]);
  });

  it("measures at once where somebody waits to see it, and at the points of the grid after that", async () => {
    const fake = fakeClock(at("12:00:03")());
    const begin = fake.now();
    const ended = new AbortController();
    const points: number[] = [];
    const agent = { reportProgress: () => undefined, beginsAtOnce: true };
    const node = { signal: ended.signal, logger: { exception: vi.fn(), info: () => undefined }, agent };
    await forEachDatapoint({ seconds: 10, node, clock: fake.clock }, () => {
      if (points.push((fake.now() - begin) / 1_000) === 3) ended.abort();
    });
    expect(points).toEqual([0, 7, 17]);
  });

  it("neither doubles nor skips a point when timers fire a few milliseconds early or late", async () => {
    let turn = 0;
    const fake = fakeClock(at("12:00:03")(), () => [-3, 4, -1, 2, 0][turn++ % 5] ?? 0);
    expect((await datapoints(6, fake)).points).toEqual([0, 10, 20, 30, 40, 50]);
  });

  it("measures the very next point after a measurement that took nearly a whole interval", async () => {
    const fake = fakeClock(at("12:00:00")());
    const { points } = await datapoints(3, fake, () => void fake.step(9_980));
    expect(points).toEqual([0, 10, 20]);
  });

  it("skips or doubles one point at most when the wall clock steps, whenever that is", async () => {
    const [HOUR, TEN_YEARS] = [3_600_000, 10 * 31_536_000_000];
    for (const step of [HOUR, -HOUR, TEN_YEARS, -TEN_YEARS, 4_321, -4_321, 9_990, -10_010]) {
      for (let phase = 0; phase < 10_000; phase += 370) {
        const fake = fakeClock(at("12:00:03")() + phase);
        const { clock } = fake;
        let [slept, stepped] = [0, false];
        const stepping: Clock = {
          now: clock.now,
          sleep: async (seconds, signal) => {
            await clock.sleep(seconds, signal);
            slept += seconds;
            if (slept > 45 && !stepped) {
              fake.step(step);
              stepped = true;
            }
          },
        };
        const { exception } = await datapoints(12, { ...fake, clock: stepping });
        expect(exception).not.toHaveBeenCalled();
        // From the first point on; the time until then is a part of an interval.
        expect(Math.abs(slept - 110)).toBeLessThanOrEqual(20.1);
      }
    }
  });

  it("logs an error and goes on after pauses that grow, until a measurement works again", async () => {
    const fake = fakeClock(at("12:00:00")());
    let turn = 0;
    const { points, exception } = await datapoints(6, fake, () => {
      if (turn++ < 4) throw new Error("the sensor does not answer");
    });
    expect(exception).toHaveBeenCalledTimes(4);
    expect(points).toEqual([0, 70, 320, 1_230, 2_140, 2_150]);
  });

  it("tells of every turn: when the next is due, how many have failed, and why", async () => {
    const fake = fakeClock(at("12:00:03")());
    const turns: Turn[] = [];
    const ended = new AbortController();
    const logger = { exception: vi.fn(), info: vi.fn() };
    const agent = { reportProgress: (turn: Turn) => turns.push(turn) };
    let count = 0;
    await forEachDatapoint(
      { seconds: 10, node: { signal: ended.signal, logger, agent }, clock: fake.clock },
      () => {
        if (++count === 3) ended.abort();
        if (count === 2) throw new Error("the sensor does not answer");
      },
    );
    expect(turns).toEqual([
      { seconds: 10, nextInSeconds: 7, failures: 0 },
      { seconds: 10, nextInSeconds: 10, failures: 0 },
      { seconds: 10, nextInSeconds: 70, failures: 1, error: "Error: the sensor does not answer" },
    ]);
  });

  it("ends at once when the process shall end", async () => {
    const ended = new AbortController();
    const measure = vi.fn();
    const node = { signal: ended.signal, logger: { exception: vi.fn(), info: vi.fn() } };
    const loop = forEachDatapoint({ seconds: 7_200, node }, measure);
    ended.abort();
    await loop;
    expect(measure).not.toHaveBeenCalled();
  });
});
