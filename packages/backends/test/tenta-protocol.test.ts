import type { MessageBody, MessageQueueItem } from "@ivy/types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tentaProtocol } from "../src/index.ts";
import { complaintAbout, type TentaKind } from "../src/testing.ts";

const protocol = tentaProtocol({ sensor: "node-7", receiveConfig: async () => undefined });

function item(message_body: MessageBody, extra: Partial<MessageQueueItem> = {}): MessageQueueItem {
  return { identifier: 1, timestamp: 1_764_000_000.25, revision: 7, message_body, ...extra };
}

const data = (values: Record<string, number | string>): MessageBody => ({ variant: "data", data: values });
const log = (
  level: "DEBUG" | "INFO" | "WARNING" | "ERROR" | "EXCEPTION",
  subject = "s",
  body = "",
): MessageBody => ({
  variant: "log",
  level,
  subject,
  body,
});
const state = (
  status: "received" | "accepted" | "rejected" | "startup",
  config_revision = 8,
): MessageBody => ({
  variant: "config",
  status,
  config: { general: { config_revision } },
});

/** The elements that a message is sent as. */
function elements(message: MessageQueueItem): unknown[] {
  return protocol.map([message]).publishes.flatMap(({ payload }) => JSON.parse(String(payload)));
}

describe("what Tenta gets", () => {
  it("of data is the value, with the time of the measurement and the revision of then", () => {
    expect(protocol.map([item(data({ temperature: 21.4 }))])).toEqual({
      publishes: [
        {
          topic: "measurements/node-7",
          payload: '[{"value":{"temperature":21.4},"timestamp":1764000000.25,"revision":7}]',
          identifiers: [1],
        },
      ],
      settled: [],
      refused: [],
    });
  });

  it("carries no revision before the first configuration", () => {
    const { revision: _, ...without } = item(data({ a: 1 }));
    expect(elements(without)).toEqual([{ value: { a: 1 }, timestamp: 1_764_000_000.25 }]);
    expect(elements(item(data({ a: 1 }), { revision: -1 }))).toEqual([
      { value: { a: 1 }, timestamp: 1_764_000_000.25 },
    ]);
  });

  it.each([
    ["DEBUG", "info"],
    ["INFO", "info"],
    ["WARNING", "warning"],
    ["ERROR", "error"],
    ["EXCEPTION", "error"],
  ] as const)("of a log of level %s has the severity %s", (level, severity) => {
    expect(elements(item(log(level, "subject", "body")))).toMatchObject([
      { message: "subject\n\nbody", severity },
    ]);
  });

  it("of a long log is cut, with a mark, and never in the middle of a character", () => {
    const [element] = elements(item(log("INFO", "", "😀".repeat(10_000)))) as [{ message: string }];
    expect(element.message.length).toBeLessThanOrEqual(16_384);
    expect(element.message).toMatch(/😀\n\[\.\.\.\] cut by the node$/u);
  });

  it("of a configuration's state is an acknowledgment, or nothing where there is no word for it", () => {
    expect(elements(item(state("accepted")))).toEqual([
      { success: true, timestamp: 1_764_000_000.25, revision: 8 },
    ]);
    expect(elements(item(state("rejected")))).toEqual([
      { success: false, timestamp: 1_764_000_000.25, revision: 8 },
    ]);
    for (const status of ["received", "startup"] as const) {
      expect(protocol.map([item(state(status))])).toEqual({ publishes: [], settled: [1], refused: [] });
    }
  });

  it("is one publish for neighbours with the same topic, in their order", () => {
    const bodies = [data({ a: 1 }), data({ a: 2 }), log("INFO"), data({ a: 3 })];
    const { publishes } = protocol.map(bodies.map((body, identifier) => item(body, { identifier })));
    expect(publishes.map(({ topic, identifiers }) => [topic, identifiers])).toEqual([
      ["measurements/node-7", [0, 1]],
      ["logs/node-7", [2]],
      ["measurements/node-7", [3]],
    ]);
  });
});

it("Tenta gets no payload of much more than 128 KiB, however large the messages are", () => {
  const long = Array.from({ length: 20 }, (_, identifier) =>
    item(log("INFO", "", "x".repeat(16_382)), { identifier }),
  );
  const { publishes } = protocol.map(long);
  expect(publishes.map(({ identifiers }) => identifiers.length)).toEqual([7, 7, 6]);
  expect(publishes.flatMap(({ identifiers }) => identifiers)).toEqual([...long.keys()]);
});

describe("what Tenta does not take", () => {
  it.each([
    ["a text", { a: "x" }, '"a" is not a number'],
    ["a key with capitals", { Temperature: 1 }, '"Temperature" is not a key that Tenta takes'],
    ["a key with two underscores", { a__b: 1 }, '"a__b" is not a key'],
    ["a key that is too long", { ["a".repeat(65)]: 1 }, "is not a key"],
  ])("is set aside with the reason: %s", (_, values, reason) => {
    const { publishes, refused } = protocol.map([item(data(values as Record<string, number | string>))]);
    expect(publishes).toEqual([]);
    expect(refused).toEqual([{ identifier: 1, reason: expect.stringContaining(reason) }]);
  });

  it("is set aside in part where the rest can be sent", () => {
    const { publishes, refused } = protocol.map([item(data({ temperature: 21, site: "roof" }))]);
    expect(publishes).toMatchObject([
      { payload: expect.stringContaining('{"temperature":21}'), identifiers: [1] },
    ]);
    expect(refused).toEqual([{ identifier: 1, reason: '"site" is not a number' }]);
  });

  it("is an acknowledgment of the revision -1", () => {
    expect(protocol.map([item(state("accepted", -1))]).refused).toHaveLength(1);
  });
});

it("a system identifier that cannot stand in a topic is refused", () => {
  expect(() => tentaProtocol({ sensor: "a/b", receiveConfig: async () => undefined })).toThrow(
    /system_identifier is "a\/b"/,
  );
});

it("whatever the messages are: each is sent, settled or refused, and the server takes everything that is sent", () => {
  const bodies = fc.oneof(
    fc.dictionary(fc.string({ maxLength: 70 }), fc.oneof(fc.double(), fc.integer(), fc.string())).map(data),
    fc
      .tuple(
        fc.constantFrom("DEBUG" as const, "ERROR" as const),
        fc.string(),
        fc.string({ maxLength: 20_000 }),
      )
      .map((args) => log(...args)),
    fc
      .tuple(fc.constantFrom("received" as const, "accepted" as const, "rejected" as const), fc.integer())
      .map((args) => state(...args)),
  );
  const batch = fc.array(fc.tuple(bodies, fc.option(fc.integer(), { nil: undefined })), { maxLength: 20 });
  fc.assert(
    fc.property(batch, (messages) => {
      const items = messages.map(([body, revision], identifier) => {
        const { revision: _, ...rest } = item(body, { identifier });
        return revision === undefined ? rest : { ...rest, revision };
      });
      const { publishes, settled, refused } = protocol.map(items);
      for (const { topic, payload } of publishes) {
        expect(complaintAbout(topic.split("/")[0] as TentaKind, String(payload))).toBeUndefined();
      }
      const seen = new Set([
        ...publishes.flatMap(({ identifiers }) => identifiers),
        ...settled,
        ...refused.map(({ identifier }) => identifier),
      ]);
      expect(seen.size).toBe(items.length);
    }),
  );
});
