import { MessagingAgent } from "@ivy/messaging";
import { describe, expect, it, vi } from "vitest";
import * as z from "zod/mini";
import { setUp, startBackend, turns, uniqueTurns } from "./support/thingsboard.ts";

const WAIT = { timeout: 40_000 };

describe("the ThingsBoard backend keeps", () => {
  it("to the limits that the server tells, so that it is never thrown out", async () => {
    const limits = {
      maxPayloadSize: 1_000,
      maxInflightMessages: 3,
      messages: "100:3",
      telemetryMessages: "60:3,10000:60",
      telemetryDataPoints: "160:3",
    };
    const place = await setUp({ limits });
    const { server } = place;
    server.faults.acknowledgeAfterMs = 3;
    const { messages } = startBackend(place);
    await messages.addMessages(turns(280));
    await server.until(() => server.valuesOf("turn").length >= 280);
    expect(server.connections).toEqual([{ clean: true }]);
    for (const { payload } of server.publishes) expect(payload.length).toBeLessThanOrEqual(1_000);
  });

  it("to the usual limits where the server tells none", async () => {
    const place = await setUp({ tellsLimits: false });
    const { messages } = startBackend(place, { timing: { answerMs: 50 } });
    await messages.addMessage({ variant: "data", data: { text: "x".repeat(65_000) } });
    await messages.addMessages(turns(50));
    const { server } = place;
    await server.until(() => server.valuesOf("turn").length >= 50);
    expect(server.valuesOf("text")).toHaveLength(1);
    expect(server.connections).toEqual([{ clean: true }]);
  });

  it("its messages in order and whole though the server throws it out for limits that it has not told", async () => {
    const place = await setUp({ tellsLimits: false, limits: { telemetryDataPoints: "120:1" } });
    const { messages } = startBackend(place, { timing: { answerMs: 20 } });
    await messages.addMessages(turns(300));
    const { server } = place;
    await server.until(() => uniqueTurns(server).length >= 300, 40_000);
    expect(uniqueTurns(server)).toEqual(turns(300).map(({ data }) => data.turn));
    expect(server.connections.some(({ closedBecause }) => closedBecause?.includes("data points"))).toBe(true);
    expect(messages.statistics().dead).toBe(0);
  });
});

describe("a message that the server does not take", () => {
  it("is set aside with the reason, or sent in part, before it can do any harm", async () => {
    const place = await setUp();
    const anything = new MessagingAgent({ dataDir: place.dataDir, schema: z.unknown() });
    await anything.addMessage({ variant: "data", data: { broken: Number.NaN } });
    await anything.addMessage({ variant: "data", data: { text: "ü".repeat(35_000) } });
    await anything.addMessage({
      variant: "data",
      data: { " ": 1, ["k".repeat(256)]: 2, big: 2 ** 63, good: 4 },
    });
    await anything.teardown();
    const { messages } = startBackend(place);
    await messages.addMessages(turns(100));
    const { server } = place;
    await server.until(() => server.valuesOf("turn").length >= 100);
    expect(server.valuesOf("turn")).toEqual(turns(100).map(({ data }) => data.turn));
    expect(server.valuesOf("good")).toEqual([4]);
    expect(server.connections).toEqual([{ clean: true }]);
    expect(server.lost).toEqual([]);
    await vi.waitFor(() => expect(messages.statistics().dead).toBe(3), WAIT);
    expect(messages.deadLetters(10).map(({ reason }) => reason)).toEqual([
      '"broken" is neither a number nor a text',
      expect.stringMatching(/^it takes 700\d\d bytes; this server takes 65405 at once$/),
      expect.stringMatching(
        /^" " is a blank key, "k+" is a key of more than 255 characters, "big" does not fit/,
      ),
    ]);
  });

  it("and for which it closes the connection is found and set aside; the others arrive, in their order", async () => {
    const place = await setUp();
    const { server } = place;
    server.faults.poison = (payload) => payload.includes('"turn":7}');
    const { messages } = startBackend(place);
    await messages.addMessages(turns(100));
    await server.until(() => uniqueTurns(server).length >= 99, 40_000);
    const wanted = turns(100)
      .map(({ data }) => data.turn)
      .filter((turn) => turn !== 7);
    expect([...uniqueTurns(server)].sort((a, b) => a - b)).toEqual(wanted);
    await vi.waitFor(() => expect(messages.statistics().dead).toBe(1), WAIT);
    expect(messages.deadLetters(1)).toMatchObject([{ message_body: { data: { turn: 7 } } }]);
    expect(server.connections.length).toBeLessThan(10);
  });
});
