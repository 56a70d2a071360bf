import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { numberOf, placeOf, type Span, spanOfFile, spanOfLane } from "../src/log/place.ts";
import { contains, joined, within, without } from "../src/log/spans.ts";

const span = fc.tuple(fc.nat(40), fc.nat(10)).map(([from, length]): Span => ({ from, to: from + length }));
const numbers = (spans: readonly Span[]) =>
  spans.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, index) => from + index));
const asSet = (spans: readonly Span[]) => [...new Set(numbers(spans))].sort((a, b) => a - b);

describe("sets of spans", () => {
  it("hold the numbers that they are made of, and lose those that are taken out", () => {
    fc.assert(
      fc.property(fc.array(span), span, (spans, other) => {
        const set = joined(spans);
        expect(numbers(set)).toEqual(asSet(spans));
        const gone = numbers([other]);
        expect(numbers(without(set, other))).toEqual(numbers(set).filter((number) => !gone.includes(number)));
        expect(numbers(within(set, other))).toEqual(numbers(set).filter((number) => gone.includes(number)));
        for (let number = 0; number < 55; number++)
          expect(contains(set, number)).toBe(numbers(set).includes(number));
      }),
    );
  });
});

describe("a place in the log", () => {
  it("is one number and back, in the order of sending, and small enough for SQLite", () => {
    const place = fc.record({
      lane: fc.constantFrom("urgent" as const, "regular" as const),
      sequence: fc.nat(2 ** 18 - 1),
      offset: fc.nat(2 ** 32 - 1),
    });
    fc.assert(
      fc.property(place, (somewhere) => {
        const number = numberOf(somewhere);
        expect(placeOf(number)).toEqual(somewhere);
        expect(contains([spanOfFile(somewhere)], number)).toBe(true);
      }),
    );
    expect(spanOfLane("urgent").to).toBeLessThan(spanOfLane("regular").from);
    expect(spanOfLane("regular").to).toBeLessThan(2 ** 51);
  });
});
