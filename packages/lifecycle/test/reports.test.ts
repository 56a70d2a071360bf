import { describe, expect, it } from "vitest";
import type { LinkReport, ProgressReport } from "../src/ipc.ts";
import { linkReporter } from "../src/report-link.ts";
import { progressReporter } from "../src/report-progress.ts";

describe("what a process reports of its connection", () => {
  function reporter() {
    const reports: LinkReport[] = [];
    const clock = { ms: 0 };
    const tell = linkReporter(
      (report) => reports.push(report),
      () => clock.ms,
    );
    return { reports, clock, tell };
  }

  it("is when it was made and when it ended, once each", () => {
    const { reports, clock, tell } = reporter();
    for (const event of ["disconnected", "disconnected", "connected", "connected", "disconnected"] as const) {
      clock.ms += 1_000;
      tell(event);
    }
    expect(reports).toEqual([
      { connected: false, since: 1_000 },
      { connected: true, since: 3_000 },
      { connected: false, since: 5_000 },
    ]);
  });

  it("is the first acknowledgement over each connection, and the later ones every ten seconds", () => {
    const { reports, clock, tell } = reporter();
    tell("connected");
    for (clock.ms = 1; clock.ms <= 25_000; clock.ms++) tell("acknowledged");
    expect(reports.slice(1).map(({ lastAcknowledged }) => lastAcknowledged)).toEqual([1, 10_001, 20_001]);
    tell("disconnected");
    expect(reports.at(-1)).toEqual({ connected: false, since: 25_001, lastAcknowledged: 20_001 });
    tell("connected");
    clock.ms++;
    tell("acknowledged");
    expect(reports.at(-1)).toEqual({ connected: true, since: 25_001, lastAcknowledged: 25_002 });
  });
});

describe("what a process reports of its loop", () => {
  function reporter() {
    const reports: ProgressReport[] = [];
    const clock = { ms: 0 };
    const turn = progressReporter(
      (report) => reports.push(report),
      () => clock.ms,
    );
    return { reports, clock, turn };
  }

  it("is every turn of a slow loop", () => {
    const { reports, clock, turn } = reporter();
    for (clock.ms = 0; clock.ms <= 20_000; clock.ms += 10_000) turn({ seconds: 10, nextInSeconds: 9 });
    const same = { failures: 0, intervalMs: 10_000, nextInMs: 9_000 };
    expect(reports).toEqual([
      { ...same, at: 0, turns: 0 },
      { ...same, at: 10_000, turns: 1, lastSuccess: 10_000 },
      { ...same, at: 20_000, turns: 2, lastSuccess: 20_000 },
    ]);
  });

  it("is few turns of a fast loop", () => {
    const { reports, clock, turn } = reporter();
    for (clock.ms = 0; clock.ms < 60_000; clock.ms += 10) turn({ seconds: 0.01 });
    expect(reports.map(({ turns }) => turns)).toEqual([
      0,
      ...Array.from({ length: 12 }, (_, n) => n * 500 + 1),
    ]);
  });

  it("is at once that turns have begun to fail, that the pause grows, and that they work again", () => {
    const { reports, clock, turn } = reporter();
    const steps = [{ failures: 0 }, { failures: 1, nextInSeconds: 61 }, { failures: 2, nextInSeconds: 241 }];
    for (const step of [...steps, { failures: 0 }]) {
      clock.ms += 1;
      turn({ seconds: 1, ...step });
    }
    expect(reports.map(({ failures, nextInMs }) => [failures, nextInMs])).toEqual([
      [0, 1_000],
      [1, 61_000],
      [2, 241_000],
      [0, 1_000],
    ]);
    expect(reports.at(-1)?.lastSuccess).toBe(4);
  });
});
