import { join } from "node:path";
import { lockHolder } from "@ivy/files";
import { MessagingAgent } from "@ivy/messaging";
import { expect, it, onTestFinished, vi } from "vitest";
import { configFor } from "./support/config.ts";
import { deployNode, ended } from "./support/deployed-node.ts";
import { describeWithFaketime, steppableClock } from "./support/faketime.ts";

const NOBODY = { host: "127.0.0.1", port: 9 };
const HOUR = 3_600;
const PATIENCE = { timeout: 30_000, interval: 50 };
const TEN_YEARS = 10 * 365 * 24 * HOUR;

describeWithFaketime("a wall clock that steps", () => {
  it("costs a sample at most, and nothing else: an hour and ten years, ahead and back", async () => {
    const node = deployNode({
      ...configFor(NOBODY),
      backend: null,
      // A false alarm would come soon.
      supervision: { missed_intervals: 2, shortest_patience: 1, start_patience: 60 },
    });
    const clock = steppableClock(join(node.root, "clock"));
    const arrivals = observe(node.dataDir);
    const main = node.run(clock.env);
    await untilMore(arrivals, 3);
    const steps = [HOUR, 0, -HOUR, 0, TEN_YEARS, 0, -TEN_YEARS, 0];
    for (const offset of steps) {
      clock.step(offset);
      // What was measured before may be seen late.
      await vi.waitFor(() => {
        const { timestamp } = arrivals.at(-1) ?? expect.unreachable("no sample has come");
        expect(Math.abs(timestamp - offset - Date.now() / 1_000)).toBeLessThan(60);
      }, PATIENCE);
      await untilMore(arrivals, 1);
      const second = await node.cli(["start"], clock.env);
      expect(second.stderr).toContain(`process ${main.pid} holds`);
      expect(lockHolder(join(node.dataDir, "run.lock"))).toBe(main.pid);
    }
    const gaps = arrivals.slice(1).map(({ at }, index) => at - (arrivals[index]?.at ?? 0));
    expect(gaps.filter((gap) => gap < 500).length).toBeLessThanOrEqual(steps.length);
    const lasted = ((arrivals.at(-1)?.at ?? 0) - (arrivals[0]?.at ?? 0)) / 1_000;
    // One for each step, and one for a machine that is busy.
    expect(Math.abs(lasted - gaps.length)).toBeLessThanOrEqual(steps.length + 1);
    const { processes } = JSON.parse((await node.cli(["status", "--json"], clock.env)).stdout);
    for (const name of ["dummy-procedure", "system-checks"])
      expect(processes[name]).toMatchObject({ state: "running", restarts: 0, failures: 0 });
    expect(node.logs()).not.toMatch(/makes no progress|has died|EXCEPTION/);
    main.kill("SIGTERM");
    expect(await ended(main)).toMatchObject({ code: 0 });
  }, 120_000);
});

/** What the dummy procedure measures, with the time of this process at which it came. */
function observe(dataDir: string): { at: number; timestamp: number }[] {
  const arrivals: { at: number; timestamp: number }[] = [];
  const ended = new AbortController();
  onTestFinished(() => ended.abort());
  new MessagingAgent({ dataDir }).observe(ended.signal, ({ timestamp, message_body: { variant } }) => {
    if (variant === "data") arrivals.push({ at: performance.now(), timestamp });
  });
  return arrivals;
}

async function untilMore(arrivals: readonly unknown[], count: number): Promise<void> {
  const enough = arrivals.length + count;
  await vi.waitFor(() => expect(arrivals.length).toBeGreaterThanOrEqual(enough), PATIENCE);
}
