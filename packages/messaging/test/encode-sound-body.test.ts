import { MessageBody } from "@ivy/types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeSoundBody } from "../src/encode-sound-body.ts";

const key = fc.oneof(
  fc.constantFrom("a", "b_1", "10", "9", "ä", '"', "\ud800", "logging", "configuration", "__proto__"),
  fc.string({ unit: "binary" }),
);
const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("\u2028", "\ud800", "\n"));
const sound = fc.oneof(fc.double(), fc.constant(-0), fc.integer(), text);
const value = fc.oneof(
  { weight: 9, arbitrary: sound },
  fc.constantFrom(null, undefined, true, 1n, Symbol.iterator, new Date(0)),
);
const dataBodies = fc.record(
  {
    data: fc.oneof(
      { weight: 9, arbitrary: fc.dictionary(key, value) },
      fc.constantFrom(null, Object.create({ a: 1 })),
      fc.array(value),
    ),
    variant: fc.constantFrom("data", "data", "data", "log"),
    more: fc.string(),
  },
  { requiredKeys: ["variant", "data"] },
);
const oddly = <Value>(arbitrary: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 9, arbitrary }, fc.constantFrom(undefined, null, 1, "x", [], {}));
const logBodies = fc.record(
  {
    body: oddly(text),
    level: oddly(fc.constantFrom("DEBUG", "INFO", "WARNING", "ERROR", "EXCEPTION", "FATAL")),
    variant: fc.constant("log"),
    subject: oddly(text),
    more: fc.string(),
  },
  { requiredKeys: ["variant", "level", "subject", "body"] },
);
const general = fc.record(
  { other: fc.jsonValue(), config_revision: oddly(fc.oneof(fc.integer(), fc.double())) },
  { requiredKeys: [], noNullPrototype: true },
);
const configBodies = fc.record(
  {
    variant: fc.constant("config"),
    config: oddly(
      fc.record(
        { more: fc.jsonValue(), general: oddly(general) },
        { requiredKeys: ["general"], noNullPrototype: true },
      ),
    ),
    reason: oddly(text),
    status: oddly(fc.constantFrom("received", "accepted", "rejected", "startup", "lost")),
    more: fc.string(),
  },
  { requiredKeys: ["variant", "status", "config"] },
);

const checked = (body: unknown) => MessageBody.safeParse(body);

describe("the short way for a message", () => {
  it("takes no data that the schema does not take, and writes the bytes of JSON.stringify", () => {
    fc.assert(
      fc.property(dataBodies, (body) => {
        const encoded = encodeSoundBody(body);
        if (encoded !== undefined) expect(encoded).toBe(JSON.stringify(checked(body).data));
      }),
      { numRuns: 5_000 },
    );
  });

  it("takes logs and configuration states exactly where the schema does, and keeps what they say", () => {
    fc.assert(
      fc.property(fc.oneof(logBodies, configBodies), (body) => {
        const encoded = encodeSoundBody(body);
        const { success, data } = checked(body);
        expect(encoded !== undefined).toBe(success);
        if (encoded !== undefined) expect(JSON.parse(encoded)).toEqual(JSON.parse(JSON.stringify(data)));
      }),
      { numRuns: 5_000 },
    );
  });

  it("is taken by what is measured, with any key that has been met before or not", () => {
    for (let index = 0; index < 3_000; index++) {
      const data = { temperature: 21.4, [`value ${index}`]: "good" };
      expect(encodeSoundBody({ data, variant: "data" })).toBe(JSON.stringify({ variant: "data", data }));
    }
  });
});
