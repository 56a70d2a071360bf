import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Outcome } from "@ivy/updater";
import { expect, it, onTestFinished, vi } from "vitest";
import { mainLoop } from "../src/main-loop.ts";
import { Pulse } from "../src/pulse.ts";

/** The pauses that were made, in milliseconds; each is over at once, or when the signal aborts. */
const pauses = vi.hoisted(() => ({ made: [] as number[], endAtOnce: true }));
vi.mock("node:timers/promises", async (original) => {
  const real = await original<typeof import("node:timers/promises")>();
  const setTimeout: typeof real.setTimeout = async (ms = 0, value, options) => {
    pauses.made.push(ms);
    if (!pauses.endAtOnce) await real.setTimeout(ms, undefined, options);
    return value as never;
  };
  return { ...real, setTimeout };
});

/** Runs the main loop with rounds that fail, or end as they are said to. */
function run(rounds: (Outcome | Error)[]) {
  pauses.made = [];
  const folder = mkdtempSync(join(tmpdir(), "ivy-loop-"));
  const ended = new AbortController();
  onTestFinished(() => {
    ended.abort();
    rmSync(folder, { recursive: true });
  });
  const stateFile = join(folder, "state.json");
  writeFileSync(stateFile, "{}");
  const performUpdate = vi.fn(async () => {
    const round = rounds.shift() ?? "nothing";
    if (round instanceof Error) throw round;
    // Whatever changes the state has the loop go round again.
    if (round === "nothing") writeFileSync(stateFile, "{}");
    return round;
  });
  const logger = { exception: vi.fn() };
  const updater = { performUpdate, reconsider: () => undefined, isPreparing: false };
  const outcome = mainLoop({ updater, logger, stateFile, signal: ended.signal, pulse: new Pulse() });
  return { outcome, logger, end: () => ended.abort() };
}

it("The main loop goes on after failures: after longer and longer pauses, until it has done well", async () => {
  pauses.endAtOnce = true;
  const failures = Array.from({ length: 6 }, (_, index) => new Error(`failure ${index}`));
  const { outcome, logger } = run([...failures.slice(0, 5), "nothing", failures[5] as Error, "restart"]);
  expect(await outcome).toBe("restart");
  expect(pauses.made).toEqual([60_000, 240_000, 900_000, 900_000, 900_000, 60_000]);
  expect(logger.exception.mock.calls.map(([error]) => error)).toEqual(failures);
});

it("The main loop ends at once while it pauses after a failure", async () => {
  pauses.endAtOnce = false;
  const { outcome, end } = run([new Error("no")]);
  await vi.waitFor(() => expect(pauses.made).toEqual([60_000]), 20_000);
  end();
  expect(await outcome).toBe("nothing");
});
