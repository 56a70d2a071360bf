import type { MessageQueueItem } from "@ivy/types";
import { describe, expect, it } from "vitest";
import { mapSafely } from "../src/forward/map-safely.ts";
import type { Mapping, ServerProtocol } from "../src/forwarder.ts";

const message = (identifier: number): MessageQueueItem<number> => ({
  identifier,
  timestamp: 0,
  message_body: identifier,
});

const publish = { topic: "t", payload: "", identifiers: [1] };
const mapping = { publishes: [], settled: [], refused: [] };

/** A protocol, perhaps one of JavaScript, that maps the message 1 to something, and settles all others. */
function protocolThatMaps(first: unknown): ServerProtocol<number> {
  return {
    subscriptions: [],
    receive: () => undefined,
    map(messages) {
      const settled = messages.map(({ identifier }) => identifier).filter((identifier) => identifier !== 1);
      if (settled.length === messages.length) return { ...mapping, settled };
      if (settled.length === 0) return first as Mapping;
      const whole: Mapping = { ...mapping, ...(first as Partial<Mapping>) };
      return { ...(first as Mapping), settled: [...(whole.settled ?? []), ...settled] };
    },
  };
}

describe("the mapping of messages", () => {
  it.each([
    [
      "no topic",
      { ...mapping, publishes: [{ ...publish, topic: "" }] },
      /^it cannot be mapped: the topic is "";/,
    ],
    [
      "a topic with NUL",
      { ...mapping, publishes: [{ ...publish, topic: "a\0" }] },
      /the topic is "a\\u0000"/,
    ],
    [
      "a wildcard",
      { ...mapping, publishes: [{ ...publish, topic: "a/+" }] },
      /expected is text .* without \+/,
    ],
    [
      "an endless topic",
      { ...mapping, publishes: [{ ...publish, topic: "ä".repeat(40_000) }] },
      /^.{1,300}$/,
    ],
    [
      "an object",
      { ...mapping, publishes: [{ ...publish, payload: { a: 1 } }] },
      /the payload is an object; .*JSON\.stringify/,
    ],
    [
      "no payload",
      { ...mapping, publishes: [{ ...publish, payload: undefined }] },
      /the payload is undefined/,
    ],
    [
      "another message",
      { ...mapping, publishes: [{ ...publish, identifiers: [1, 7] }] },
      /an identifier in the mapping is 7/,
    ],
    ["nothing of it", mapping, /a message is not in the mapping/],
    ["no refused", { publishes: [publish], settled: [] }, /refused of the mapping is undefined/],
    [
      "a refusal without a reason",
      { ...mapping, refused: [{ identifier: 1 }] },
      /the reason .* is undefined/,
    ],
    ["nothing", undefined, /publishes of the mapping is undefined/],
  ])("sets aside the one that it maps to %s, and goes on with the others", (_, first, reason) => {
    const mapped = mapSafely(protocolThatMaps(first), [0, 1, 2].map(message));
    expect(mapped).toEqual({
      ...mapping,
      settled: [0, 2],
      refused: [{ identifier: 1, reason: expect.stringMatching(reason) }],
    });
  });

  it("sets aside no message for a protocol that maps later: it is wrong for all of them", () => {
    const protocol = protocolThatMaps(Promise.reject(new Error("not today")));
    const wrong = { code: "IVY_FORWARDER_USAGE", message: expect.stringMatching(/must not be async/) };
    expect(() => mapSafely(protocol, [message(1)])).toThrow(expect.objectContaining(wrong));
  });
});
