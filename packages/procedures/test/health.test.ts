import { describe, expect, it } from "vitest";
import { type Clock, forEachDatapoint, type Health } from "../src/index.ts";

const SECONDS = 20;

/** What a procedure did until it has measured so often: its points on the clock, and what it told in between. */
async function watched(
  healthy: () => Health | Promise<Health>,
  { points = 3, onTrial = true, failing = false } = {},
) {
  let now = new Date("2026-03-01T12:00:03").getTime();
  const begin = now;
  const elapsed = () => Math.round((now - begin) / 1_000);
  const ended = new AbortController();
  const clock: Clock = {
    now: () => now,
    sleep: async (seconds) => {
      now += seconds * 1_000;
    },
  };
  const told: unknown[] = [];
  const asked: number[] = [];
  const agent = {
    reportProgress: () => told.push("turn"),
    ...(onTrial ? { reportHealth: (lacks: string | undefined) => void told.push(lacks ?? "healthy") } : {}),
  };
  const logger = { info: () => undefined, exception: () => undefined };
  const measured: number[] = [];
  const node = { signal: ended.signal, logger, agent };
  const look = () => {
    asked.push(elapsed());
    return healthy();
  };
  await forEachDatapoint({ seconds: SECONDS, node, clock, healthy: look }, () => {
    told.push("measured");
    if (measured.push(elapsed()) === points) ended.abort();
    if (failing) throw new Error("the sensor does not answer");
  });
  return { told, asked, measured };
}

describe("a procedure on trial", () => {
  it("is asked before its loop begins, every 5 s at least, and never again once it is healthy", async () => {
    const answers: Health[] = [false, "the sensor warms up", "the sensor warms up"];
    const { told, asked, measured } = await watched(() => answers.shift() ?? true);
    expect(asked).toEqual([0, 5, 10, 15]);
    expect(measured).toEqual([17, 37, 57]);
    expect(told.slice(0, 5)).toEqual([
      "it does not say why",
      "turn",
      "the sensor warms up",
      "healthy",
      "measured",
    ]);
    expect(told.filter((one) => one !== "turn").slice(3)).toEqual(["measured", "measured", "measured"]);
  });

  it("that is healthy at once has nothing to tell", async () => {
    const { told, asked } = await watched(async () => true);
    expect(asked).toEqual([0]);
    expect(told).not.toContain("healthy");
  });

  it("measures all the same where it is not, or where the question fails: that tells what is missing", async () => {
    const { told, measured } = await watched(async () => {
      throw new Error("no device at 0x76");
    });
    expect(measured).toEqual([17, 37, 57]);
    expect(told.filter((one) => one !== "turn")).toEqual([
      "Error: no device at 0x76",
      "measured",
      "measured",
      "measured",
    ]);
  });

  it("is asked also in the pause after a measurement that has failed", async () => {
    const { asked } = await watched(() => false, { points: 2, failing: true });
    expect(asked.filter((second) => second > 20 && second < 77).length).toBeGreaterThan(9);
  });
});

it("a procedure of a node that is not on trial is never asked", async () => {
  const { asked, measured } = await watched(() => false, { onTrial: false });
  expect(asked).toEqual([]);
  expect(measured).toEqual([17, 37, 57]);
});
