import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeHeader, decodeRecord, encodeHeader, encodeRecord } from "../src/log/record.ts";

const line = (text: string) => Buffer.from(text.slice(0, -1));

const records = fc.record(
  {
    id: fc.stringMatching(/^[\w-]{1,20}$/),
    t: fc.nat(),
    r: fc.nat(),
    m: fc.jsonValue({ noUnicodeString: false }),
  },
  { requiredKeys: ["id", "t", "m"] },
);

describe("a line of the log", () => {
  it("holds any message as it was, in one line", () => {
    fc.assert(
      fc.property(records, (record) => {
        const text = encodeRecord(record);
        expect(text.indexOf("\n")).toBe(text.length - 1);
        expect(decodeRecord(line(text))).toEqual({
          v: 1,
          ...JSON.parse(JSON.stringify(record)),
        });
      }),
    );
  });

  it("with any byte changed is known to be damaged", () => {
    fc.assert(
      fc.property(records, fc.nat(), fc.integer({ min: 1, max: 255 }), (record, place, change) => {
        const bytes = line(encodeRecord(record));
        const index = place % bytes.length;
        bytes[index] = (bytes[index] ?? 0) ^ change;
        expect(decodeRecord(bytes)).toBeUndefined();
      }),
    );
  });

  it("that is cut anywhere is known to be damaged", () => {
    const bytes = line(encodeRecord({ id: "a-0", t: 1, m: { data: "äöü" } }));
    for (let length = 0; length < bytes.length; length++)
      expect(decodeRecord(bytes.subarray(0, length))).toBeUndefined();
  });

  it("is a header only where it is one", () => {
    const header = { file: 17, log: "abc", boot: "never" };
    expect(decodeHeader(line(encodeHeader(header)))).toMatchObject(header);
    expect(decodeRecord(line(encodeHeader(header)))).toBeUndefined();
    expect(decodeHeader(line(encodeRecord({ id: "a-0", t: 1, m: {} })))).toBeUndefined();
  });
});
