import { MessageBody } from "@ivy/types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeSoundData } from "../src/encode-sound-data.ts";

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
const bodies = fc.record(
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

describe("the short way for data", () => {
  it("takes nothing that the schema does not take, and writes the bytes of JSON.stringify", () => {
    fc.assert(
      fc.property(bodies, (body) => {
        const encoded = encodeSoundData(body);
        if (encoded !== undefined) expect(encoded).toBe(JSON.stringify(MessageBody.parse(body)));
      }),
      { numRuns: 5_000 },
    );
  });

  it("is taken by what is measured, with any key that has been met before or not", () => {
    for (let index = 0; index < 3_000; index++) {
      const data = { temperature: 21.4, [`value ${index}`]: "good" };
      expect(encodeSoundData({ data, variant: "data" })).toBe(JSON.stringify({ variant: "data", data }));
    }
  });
});
