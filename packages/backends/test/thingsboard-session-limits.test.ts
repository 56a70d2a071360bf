import { describe, expect, it } from "vitest";
import { readLimits } from "../src/thingsboard/session-limits.ts";

const USUAL = {
  telemetry: { payloadBytes: 65_408 },
  server: { publishesUnderWay: 100, publishes: [], dataPoints: [] },
};

const answer = (limits: unknown) => readLimits(Buffer.from(JSON.stringify(limits)));

describe("the limits of a session", () => {
  it("are those that the server tells, kept at some distance", () => {
    const rateLimits = {
      messages: "200:1,6000:60",
      telemetryMessages: "100:1",
      telemetryDataPoints: "500:1,20:10",
    };
    expect(answer({ maxPayloadSize: 10_000, maxInflightMessages: 20, rateLimits })).toEqual({
      telemetry: { payloadBytes: 9_872, dataPoints: 18 },
      server: {
        publishesUnderWay: 20,
        publishes: [
          { count: 180, seconds: 1.25 },
          { count: 5_400, seconds: 75 },
          { count: 90, seconds: 1.25 },
        ],
        dataPoints: [
          { count: 450, seconds: 1.25 },
          { count: 18, seconds: 12.5 },
        ],
      },
    });
  });

  it("are never so far away that nothing may be sent", () => {
    expect(answer({ rateLimits: { messages: "1:1" } }).server.publishes).toEqual([
      { count: 1, seconds: 1.25 },
    ]);
  });

  it.each([
    ["nothing", undefined],
    ["something else", Buffer.from("what?")],
    ["no limits", Buffer.from("{}")],
    ["empty ones", Buffer.from('{"rateLimits":{"messages":"","telemetryMessages":null}}')],
    [
      "none of the rates",
      Buffer.from('{"maxPayloadSize":65536,"maxInflightMessages":100,"rateLimits":null}'),
    ],
    ["rates that are none", Buffer.from('{"rateLimits":{"messages":"fast,0:1,5:0"}}')],
  ])("are as usual where it tells %s", (_, payload) => {
    expect(readLimits(payload)).toEqual(USUAL);
  });
});
