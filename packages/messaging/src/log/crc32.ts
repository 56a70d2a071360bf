/*
 * The checksum of zlib, eight bytes at a time. For the few bytes of a line this is faster than the call into node:zlib,
 * which takes 4 ms to load.
 */
const STRIDE = 8;

/** What a byte adds to the checksum with so many bytes of a stride behind it. */
const TABLES = createTables();

/** @returns the CRC-32 of a part of some bytes, from 0 to 2^32 - 1 */
export function crc32(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let sum = -1;
  let at = start;
  for (; at + STRIDE <= end; at += STRIDE) {
    sum =
      added(7, sum ^ byteAt(bytes, at)) ^
      added(6, (sum >>> 8) ^ byteAt(bytes, at + 1)) ^
      added(5, (sum >>> 16) ^ byteAt(bytes, at + 2)) ^
      added(4, (sum >>> 24) ^ byteAt(bytes, at + 3)) ^
      added(3, byteAt(bytes, at + 4)) ^
      added(2, byteAt(bytes, at + 5)) ^
      added(1, byteAt(bytes, at + 6)) ^
      added(0, byteAt(bytes, at + 7));
  }
  for (; at < end; at++) sum = added(0, sum ^ byteAt(bytes, at)) ^ (sum >>> 8);
  return ~sum >>> 0;
}

function added(behind: number, byte: number): number {
  return TABLES[256 * behind + (byte & 0xff)] as number;
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] as number;
}

/** In few steps: a loop that is worth compiling would take more memory, in every process, than the tables themselves. */
function createTables(): Int32Array {
  const tables = new Int32Array(256 * STRIDE);
  let sum = 1;
  for (let bit = 128; bit > 0; bit >>= 1) {
    sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
    for (let index = 0; index < 256; index += 2 * bit) tables[index + bit] = (tables[index] as number) ^ sum;
  }
  for (let index = 256; index < tables.length; index++) {
    const before = tables[index - 256] as number;
    tables[index] = (before >>> 8) ^ (tables[before & 0xff] as number);
  }
  return tables;
}
