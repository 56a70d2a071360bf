import { State } from "@ivy/types";
import { describe, expect, it, vi } from "vitest";
import type { ProcedureContext } from "../src/context.ts";
import { run as runDummy } from "../src/dummy-procedure.ts";
import { run as runSystemChecks } from "../src/system-checks.ts";

/** The context of a process that ends itself when `done` says so. */
function context(done: (sent: Record<string, unknown>[]) => boolean) {
  const ended = new AbortController();
  const state = State.parse({});
  const sent: Record<string, unknown>[] = [];
  const finish = () => {
    if (done(sent)) ended.abort();
  };
  const node: ProcedureContext = {
    logger: { debug: vi.fn(), info: vi.fn(), warning: vi.fn(), exception: vi.fn() },
    messages: {
      addMessage: async (body) => {
        if (body.variant === "data") sent.push(body.data);
        finish();
      },
    },
    state: {
      load: () => state,
      update: async (change) => {
        await change(state);
        finish();
        return state;
      },
    },
    signal: ended.signal,
  };
  return { node, sent, state };
}

describe("the dummy procedure", () => {
  it("sends a random walk: each position one step from the last", async () => {
    const { node, sent } = context((all) => all.length === 3);
    await runDummy({ dummy_procedure: { seconds_between_datapoints: 1 } }, "dummy-procedure", node);
    let last = { random_walk_a_position: 0, random_walk_b_position: 0 };
    for (const position of sent as (typeof last)[]) {
      expect(Math.abs(position.random_walk_a_position - last.random_walk_a_position)).toBe(1);
      expect(Math.abs(position.random_walk_b_position - last.random_walk_b_position)).toBe(1);
      last = position;
    }
  });
});

describe("the system checks", () => {
  it("leave load and boot time in the state, at once", async () => {
    const { node, state } = context(() => true);
    await runSystemChecks({ system_checks: { seconds_between_checks: 7_200 } }, "system-checks", node);
    expect(state.system.last_5_min_load).toBeGreaterThanOrEqual(0);
    const boot = Date.parse(state.system.last_boot_time ?? "");
    expect(boot).toBeGreaterThan(0);
    expect(boot).toBeLessThanOrEqual(Date.now() + 60_000);
  });

  it("go on where the state cannot be written, on a full disk say", async () => {
    const { node } = context(() => true);
    const ended = new AbortController();
    const full = new Error("ENOSPC: no space left on device");
    const logger = { ...node.logger, exception: vi.fn(() => ended.abort()) };
    const state = { ...node.state, update: () => Promise.reject(full) };
    const spoiled = { ...node, logger, state, signal: ended.signal };
    await runSystemChecks({ system_checks: { seconds_between_checks: 7_200 } }, "system-checks", spoiled);
    expect(logger.exception).toHaveBeenCalledWith(full, expect.anything());
  });
});
