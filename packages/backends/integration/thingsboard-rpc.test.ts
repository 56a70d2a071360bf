import { describe, expect, it, vi } from "vitest";
import { connected, setUp, startBackend } from "./support/thingsboard.ts";

const WAIT = { timeout: 20_000 };

describe("a call of the server", () => {
  it("ping is answered", async () => {
    const place = await setUp();
    startBackend(place);
    expect(await place.server.rpc("ping")).toEqual({ pong: true });
    expect(await place.server.rpc("ping", null)).toEqual({ pong: true });
  });

  it("status tells version, revision, uptime, the processes and the queue", async () => {
    const place = await setUp();
    const { state } = startBackend(place);
    const processes = { "dummy-procedure": { state: "running" as const, restarts: 3 } };
    await state.update((draft) => {
      draft.processes = processes;
    });
    expect(await place.server.rpc("status")).toEqual({
      version: "2.0.0",
      revision: 7,
      uptime: 4_711,
      processes,
      queue: { queued: 0, dead: 0, oldest: null },
    });
  });

  it("queue.stats tells what waits, what was set aside, and since when", async () => {
    const place = await setUp();
    const { messages } = startBackend(place);
    const before = Date.now();
    await connected(place.server);
    place.server.faults.acknowledgeAfterMs = 60_000;
    await messages.addMessages([
      { variant: "data", data: { a: 1 } },
      { variant: "data", data: { " ": 1 } },
    ]);
    await vi.waitFor(() => expect(messages.statistics().dead).toBe(1), WAIT);
    const stats = await place.server.rpc("queue.stats");
    expect(stats).toEqual({ queued: 1, dead: 1, oldest: expect.any(Number) });
    expect(Math.abs((stats as { oldest: number }).oldest - before)).toBeLessThan(20_000);
  });

  it("logs.level has the level of a sink changed", async () => {
    const place = await setUp();
    const { agent } = startBackend(place);
    const change = { sink: "message_sending", level: "DEBUG" };
    expect(await place.server.rpc("logs.level", change)).toEqual(change);
    expect(agent.setLogLevel.mock.calls).toEqual([[change]]);
    expect(await place.server.rpc("logs.level", { sink: "file_archive", level: null })).toEqual({
      sink: "file_archive",
      level: null,
    });
  });

  it.each([
    ["of a method that there is not", "shell", {}, "UNKNOWN_METHOD", /"shell" is not a method.*ping, status/],
    ["of a method of every object", "constructor", {}, "UNKNOWN_METHOD", /not a method/],
    [
      "with a wrong parameter",
      "logs.level",
      { sink: "printer", level: "INFO" },
      "BAD_PARAMS",
      /^sink: must be one of "file_archive"/,
    ],
    [
      "with a missing parameter",
      "logs.level",
      { sink: "file_archive" },
      "BAD_PARAMS",
      /^level: must be one of "DEBUG"/,
    ],
    ["with a parameter too many", "ping", { x: 1 }, "BAD_PARAMS", /^x: is not a known key/],
    ["with anything instead of parameters", "restart", "now", "BAD_PARAMS", /^must be /],
  ])("%s is answered with an error", async (_, method, params, code, message) => {
    const place = await setUp();
    const { agent } = startBackend(place);
    expect(await place.server.rpc(method, params)).toEqual({
      error: { code, message: expect.stringMatching(message) },
    });
    expect([agent.requestRestart.mock.calls, agent.setLogLevel.mock.calls]).toEqual([[], []]);
  });

  it("that is sent while the node is away is answered when it comes back", async () => {
    const place = await setUp();
    const answer = place.server.rpc("ping");
    startBackend(place);
    expect(await answer).toEqual({ pong: true });
  });

  it("that comes again is answered again, and not performed again", async () => {
    const place = await setUp();
    const { agent } = startBackend(place);
    const change = { sink: "file_archive", level: "ERROR" };
    const first = await place.server.rpc("logs.level", change, { id: 3 });
    expect(await place.server.rpc("logs.level", change, { id: 3 })).toEqual(first);
    place.server.kick();
    await connected(place.server, 2);
    expect(await place.server.rpc("logs.level", change, { id: 3 })).toEqual(first);
    expect(agent.setLogLevel).toHaveBeenCalledTimes(1);
    // The server counts anew when it is started: another request with that number is another request.
    expect(await place.server.rpc("ping", {}, { id: 3 })).toEqual({ pong: true });
  });
});

describe("the call restart", () => {
  it("is answered, and then performed", async () => {
    const place = await setUp();
    const { agent } = startBackend(place);
    expect(await place.server.rpc("restart")).toEqual({ restarting: true });
    await vi.waitFor(() => expect(agent.requestRestart).toHaveBeenCalledTimes(1), WAIT);
  });

  it("is not performed again when it comes to the process that it has started", async () => {
    const place = await setUp();
    const first = startBackend(place);
    await place.server.rpc("restart", {}, { id: 0 });
    await vi.waitFor(() => expect(first.agent.requestRestart).toHaveBeenCalled(), WAIT);
    await first.stop("restart");
    const second = startBackend(place);
    expect(await place.server.rpc("restart", {}, { id: 0 })).toEqual({ restarting: true });
    expect(await place.server.rpc("ping")).toEqual({ pong: true });
    expect(second.agent.requestRestart).not.toHaveBeenCalled();
    await place.server.rpc("restart", {}, { id: 1 });
    await vi.waitFor(() => expect(second.agent.requestRestart).toHaveBeenCalledTimes(1), WAIT);
  });

  it("is performed though its number was that of a restart long ago", async () => {
    const place = await setUp();
    const { state, agent } = startBackend(place);
    const longAgo = Math.floor(Date.now() / 1_000) - 3_600;
    await state.update((draft) => {
      draft.performed_commands = [{ id: 0, answered: true, at: longAgo }];
    });
    await place.server.rpc("restart", {}, { id: 0 });
    await vi.waitFor(() => expect(agent.requestRestart).toHaveBeenCalledTimes(1), WAIT);
  });

  it("whose answer the server has not got is not performed again, however late it comes", async () => {
    const place = await setUp();
    const { state, agent } = startBackend(place);
    await state.update((draft) => {
      draft.performed_commands = [{ id: 0, answered: false, at: 1_764_000_000 }];
    });
    expect(await place.server.rpc("restart", {}, { id: 0 })).toEqual({ restarting: true });
    await vi.waitFor(
      () => expect(state.load().performed_commands).toMatchObject([{ id: 0, answered: true }]),
      WAIT,
    );
    expect(agent.requestRestart).not.toHaveBeenCalled();
  });
});
