import { crc32 as crc32OfZlib } from "node:zlib";
import fc from "fast-check";
import { expect, it } from "vitest";
import { crc32 } from "../src/log/crc32.ts";

it("the checksum of any part of some bytes is that of zlib", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), fc.nat(200), (bytes, start, length) => {
      const end = Math.min(start + length, bytes.length);
      expect(crc32(bytes, start, end)).toBe(crc32OfZlib(bytes.subarray(start, end)));
    }),
  );
});
