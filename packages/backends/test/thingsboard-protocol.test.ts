import type { MessageBody, MessageQueueItem } from "@ivy/types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mapToTelemetry } from "../src/index.ts";
import { readTelemetry, type ThingsBoardTelemetry } from "../src/testing.ts";

const LIMITS = { payloadBytes: 65_000 };
const TIMESTAMP = 1_764_000_000.25;

function item(message_body: MessageBody, extra: Partial<MessageQueueItem> = {}): MessageQueueItem {
  return { identifier: 1, timestamp: TIMESTAMP, revision: 7, message_body, ...extra };
}

const data = (values: Record<string, number | string>): MessageBody => ({ variant: "data", data: values });
const log = (subject: string, body = ""): MessageBody => ({ variant: "log", level: "ERROR", subject, body });

/** What the server stores of messages; fails where it would close the connection. */
function stored(messages: readonly MessageQueueItem[], limits = LIMITS): ThingsBoardTelemetry[] {
  return mapToTelemetry(messages, limits).publishes.flatMap(({ payload }) => {
    const read = readTelemetry(String(payload), false);
    if ("complaint" in read) throw new Error(read.complaint);
    expect(read.lost).toBeUndefined();
    return read.stored;
  });
}

describe("what ThingsBoard gets", () => {
  it("of data is its values, with the time of the measurement in milliseconds", () => {
    expect(mapToTelemetry([item(data({ temperature: 21.4, site: "roof" }))], LIMITS)).toEqual({
      publishes: [
        {
          topic: "v1/devices/me/telemetry",
          payload: '[{"ts":1764000000250,"values":{"temperature":21.4,"site":"roof"}}]',
          identifiers: [1],
          dataPoints: 2,
        },
      ],
      settled: [],
      refused: [],
    });
  });

  it("of a log and of a configuration's state is one value each", () => {
    const config = { general: { config_revision: 8 } };
    const messages = [
      item(log("subject", "body")),
      item({ variant: "config", status: "received", config }),
      item({ variant: "config", status: "rejected", config, reason: "because" }),
    ];
    expect(stored(messages).map(({ values }) => values)).toEqual([
      { logging: { level: "ERROR", subject: "subject", body: "body" } },
      { configuration: { status: "received", config } },
      { configuration: { status: "rejected", config, reason: "because" } },
    ]);
  });

  it.each([
    [0.1 + 0.2, 0.3, "double"],
    [5.551115123125783e-17, 0.0000000000000001, "double"],
    [1e-20, 0, "long"],
    [-1.5e-7, -1.5e-7, "double"],
    [1.0000000000000002, 1.0000000000000002, "double"],
    [123_456.789, 123_456.789, "double"],
    [2 ** 62, 2 ** 62, "long"],
    [1_024 - 2 ** 63, 1_024 - 2 ** 63, "long"],
  ])("of the number %d is %d, as a number", (sent, value, type) => {
    expect(stored([item(data({ value: sent }))])).toMatchObject([
      { values: { value }, types: { value: type } },
    ]);
  });

  it("of a text is that text, though the server may take it for a number", () => {
    const [publish] = mapToTelemetry([item(data({ serial: "00123" }))], LIMITS).publishes;
    expect(publish?.payload).toContain('"serial":"00123"');
    expect(readTelemetry(String(publish?.payload))).toMatchObject({ stored: [{ values: { serial: 123 } }] });
  });

  it("is one publish for as many messages as fit, in bytes, in their order", () => {
    const limits = { payloadBytes: 1_000 };
    const messages = Array.from({ length: 50 }, (_, turn) => item(data({ ü: turn }), { identifier: turn }));
    const { publishes } = mapToTelemetry(messages, limits);
    expect(publishes.length).toBeLessThan(5);
    expect(publishes.flatMap(({ identifiers }) => identifiers)).toEqual(
      messages.map(({ identifier }) => identifier),
    );
    for (const { payload } of publishes) expect(Buffer.byteLength(payload)).toBeLessThanOrEqual(1_000);
    expect(stored(messages, limits).map(({ values }) => values["ü"])).toEqual(
      messages.map((_, turn) => turn),
    );
  });

  it("has no more values in one publish than the server takes at once", () => {
    const messages = [1, 2, 3, 4].map((a) => item(data({ a, b: a })));
    const { publishes } = mapToTelemetry(messages, { ...LIMITS, dataPoints: 5 });
    expect(publishes.map(({ dataPoints }) => dataPoints)).toEqual([4, 4]);
  });

  it("of a long log is its beginning, with a mark, and never half a character", () => {
    const limits = { payloadBytes: 2_000 };
    const [long] = stored([item(log("s", "😀".repeat(1_000)))], limits);
    expect(long?.values["logging"]).toMatchObject({ subject: "s" });
    const { body } = Object(long?.values["logging"]) as { body: string };
    expect(body).toMatch(/^(😀)+\n\[\.\.\.\] cut by the node$/u);
    expect(body.length).toBeGreaterThan(800);
    const [endless] = stored([item(log("x".repeat(3_000), "body"))], limits);
    expect(endless?.values["logging"]).toMatchObject({
      subject: expect.stringMatching(/^x+\n.*cut by the node$/),
    });
  });

  it("of the state of a large configuration has its general part only", () => {
    const config = { general: { config_revision: 8 }, large: "x".repeat(70_000) };
    const message = item({ variant: "config", status: "accepted", config });
    expect(stored([message])).toMatchObject([
      { values: { configuration: { status: "accepted", config: { general: { config_revision: 8 } } } } },
    ]);
  });
});

describe("what ThingsBoard does not take", () => {
  it.each([
    ["a number that is not finite", { a: Number.POSITIVE_INFINITY }, '"a" is not finite'],
    ["a whole number of more than 64 bits", { a: 2 ** 63 }, '"a" does not fit into 64 bits'],
    ["one below zero", { a: -(2 ** 63) }, '"a" does not fit into 64 bits'],
    ["a blank key", { " ": 1 }, '" " is a blank key'],
    ["a key that is too long", { ["k".repeat(256)]: 1 }, "is a key of more than 255 characters"],
    ["a key with markup", { "<b>": 1 }, '"<b>" is a key with markup in it'],
    [
      "too much for one publish",
      { a: "x".repeat(65_000) },
      "it takes 65038 bytes; this server takes 64997 at once",
    ],
  ])("is set aside with the reason: %s", (_, values, reason) => {
    const { publishes, refused } = mapToTelemetry([item(data(values as Record<string, number>))], LIMITS);
    expect(publishes).toEqual([]);
    expect(refused).toEqual([{ identifier: 1, reason: expect.stringContaining(reason) }]);
  });

  it("does not keep the rest of a message from it", () => {
    const { publishes, refused } = mapToTelemetry([item(data({ a: 1, b: Number.NaN }))], LIMITS);
    expect(publishes[0]?.payload).toContain('{"a":1}');
    expect(refused).toEqual([{ identifier: 1, reason: '"b" is not finite' }]);
  });

  it("is a message with more values than it takes at once", () => {
    const { refused } = mapToTelemetry([item(data({ a: 1, b: 2 }))], { ...LIMITS, dataPoints: 1 });
    expect(refused).toEqual([{ identifier: 1, reason: "it has 2 values; this server takes 1 at once" }]);
  });
});

describe("whatever the messages", () => {
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.string(), fc.constant("😀".repeat(300)));
  const value = fc.oneof(fc.double(), fc.integer(), fc.maxSafeInteger(), text);
  const body: fc.Arbitrary<MessageBody> = fc.oneof(
    fc.record({ variant: fc.constant("data" as const), data: fc.dictionary(text, value) }),
    fc.record({
      variant: fc.constant("log" as const),
      level: fc.constantFrom("DEBUG" as const, "EXCEPTION" as const),
      subject: text,
      body: text,
    }),
    fc.record({
      variant: fc.constant("config" as const),
      status: fc.constantFrom("received" as const, "accepted" as const, "rejected" as const),
      config: fc.record({ general: fc.record({ config_revision: fc.integer() }), more: text }),
      reason: text,
    }),
  );

  it("every publish is taken by the server and within its limits, and every message is sent or set aside", () => {
    fc.assert(
      fc.property(
        fc.array(body, { maxLength: 20 }),
        fc.integer({ min: 300, max: 3_000 }),
        fc.integer({ min: 1, max: 20 }),
        (bodies, payloadBytes, dataPoints) => {
          const messages = bodies.map((message_body, identifier) => item(message_body, { identifier }));
          const { publishes, refused } = mapToTelemetry(messages, { payloadBytes, dataPoints });
          for (const { payload, ...publish } of publishes) {
            const read = readTelemetry(String(payload), false);
            if ("complaint" in read) throw new Error(`${read.complaint}: ${payload}`);
            expect(read.lost).toBeUndefined();
            expect(read.dataPoints).toBe(publish.dataPoints);
            expect(read.dataPoints).toBeLessThanOrEqual(dataPoints);
            expect(Buffer.byteLength(payload)).toBeLessThanOrEqual(payloadBytes);
            for (const { types } of read.stored) expect(Object.keys(types).length).toBeGreaterThan(0);
          }
          const sent = publishes.flatMap(({ identifiers }) => identifiers);
          expect(sent).toEqual([...sent].sort((a, b) => a - b));
          const settled = new Set([...sent, ...refused.map(({ identifier }) => identifier)]);
          expect(settled.size).toBe(messages.length);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
