import { describe, expect, it, vi } from "vitest";
import { CertificateError, ConnectionLostError } from "../src/forward/connection-error.ts";
import type { Failure } from "../src/forward/one-connection.ts";
import { Reconnecting } from "../src/forward/reconnecting.ts";

const CLOSED = new ConnectionLostError("the broker has closed it", { byOtherSide: true });

const lost = (connection: Partial<Failure["connection"]> = {}): Failure => ({
  error: CLOSED,
  connection: { stoodMs: 100, hasCarried: false, wasBusy: false, ...connection },
});

/** The longest pause of many after some failures. */
function longestPause(failures: readonly Failure[]): number {
  const pauses = Array.from({ length: 300 }, () => {
    const { reconnecting } = create();
    return failures.map((failure) => reconnecting.pauseAfter(failure)).at(-1) ?? 0;
  });
  return Math.max(...pauses);
}

function create() {
  const logger = { debug: vi.fn(), info: vi.fn(), warning: vi.fn(), error: vi.fn() };
  return { logger, reconnecting: new Reconnecting(logger, "node-7") };
}

describe("reconnecting", () => {
  const repeated = (failure: Failure) => Array.from({ length: 8 }, () => failure);

  it("waits longer and longer for a broker that closes every connection, even if that carried something", () => {
    expect(longestPause(repeated(lost()))).toBeGreaterThan(10_000);
    expect(longestPause(repeated(lost({ hasCarried: true })))).toBeGreaterThan(10_000);
  });

  it("comes back soon after a connection that stood, or broke while it carried messages", () => {
    expect(longestPause(repeated(lost({ stoodMs: 61_000 })))).toBeLessThanOrEqual(500);
    expect(longestPause(repeated(lost({ hasCarried: true, stoodMs: 6_000 })))).toBeLessThanOrEqual(500);
    expect(longestPause(repeated(lost({ hasCarried: true, wasBusy: true })))).toBeLessThanOrEqual(500);
  });

  it("does not hurry where somebody has to change something first", () => {
    const { reconnecting } = create();
    for (let attempt = 0; attempt < 100; attempt++)
      expect(reconnecting.pauseAfter({ error: new CertificateError("expired") })).toBeGreaterThanOrEqual(
        10_000,
      );
  });

  it("tells each kind of trouble once, and again after a good connection", () => {
    const { logger, reconnecting } = create();
    const unreachable = { error: new Error("unreachable") };
    const told = () => logger.warning.mock.calls.map(([message]) => message);
    for (const failure of [unreachable, unreachable, lost(), unreachable]) reconnecting.pauseAfter(failure);
    expect(told()).toEqual(["unreachable", CLOSED.message]);
    expect(logger.debug).toHaveBeenCalledTimes(2);
    reconnecting.pauseAfter(lost({ stoodMs: 61_000 }));
    reconnecting.pauseAfter(unreachable);
    expect(told()).toEqual(["unreachable", CLOSED.message, CLOSED.message, "unreachable"]);
  });

  it("suspects another client after three closings for no reason, and none if messages were under way", () => {
    const { logger, reconnecting } = create();
    const hint = expect.stringContaining("probably another client uses the client id node-7");
    const closings = (count: number, failure: Failure) => {
      for (let closing = 0; closing < count; closing++) reconnecting.pauseAfter(failure);
    };
    closings(2, lost());
    closings(1, lost({ wasBusy: true }));
    closings(2, lost());
    expect(logger.warning).not.toHaveBeenCalledWith(hint);
    closings(5, lost());
    expect(
      logger.warning.mock.calls.filter(([message]) => String(message).includes("another client")),
    ).toHaveLength(1);
  });
});
