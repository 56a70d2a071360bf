import { describe, expect, it } from "vitest";
import { RestartPause } from "../src/index.ts";

describe("the pause before a restart", () => {
  it("is none at first, then doubles up to five minutes", () => {
    const pause = new RestartPause(() => 1);
    const pauses = Array.from({ length: 12 }, () => pause.after(10));
    expect(pauses.slice(0, 5)).toEqual([0, 1_000, 2_000, 4_000, 8_000]);
    expect(pauses.slice(-2)).toEqual([300_000, 300_000]);
  });

  it("is none again after the process has run well", () => {
    const pause = new RestartPause(() => 1);
    for (let death = 0; death < 3; death++) pause.after(10);
    expect(pause.after(60_000)).toBe(0);
    expect(pause.after(10)).toBe(1_000);
  });

  it("is not taken for well started by a run that was shorter than the pause before it", () => {
    const pause = new RestartPause(() => 1);
    for (let death = 0; death < 12; death++) pause.after(10);
    expect(pause.after(100_000)).toBe(300_000);
    expect(pause.after(300_000)).toBe(0);
  });

  it("is drawn from the upper half, so that processes that died together come back apart", () => {
    const [low, high] = [new RestartPause(() => 0), new RestartPause(() => 1)];
    for (const pause of [low, high]) pause.after(10);
    expect([low.after(10), high.after(10)]).toEqual([500, 1_000]);
  });
});
