import { crc32 } from "./crc32.ts";

/** A sealed line ends with `,"c":"01234567"}`: the checksum of every byte before it. */
export const SEAL = /,"c":"[0-9a-f]{8}"\}/g;
export const SEAL_LENGTH = 16;
/** With the line feed. */
export const LINE_END_LENGTH = SEAL_LENGTH + 1;

const LINE_END = Buffer.from(',"c":"01234567"}\n');
const FIRST_DIGIT = LINE_END.indexOf("0");
const DIGITS = Buffer.from("0123456789abcdef");

/** @param open - a JSON object without its closing brace */
export function seal(open: string): string {
  const bytes = Buffer.from(`${open}${LINE_END}`);
  sealInPlace(bytes, 0, bytes.length - LINE_END_LENGTH);
  return bytes.toString();
}

/**
 * Seals a JSON object that stands without its closing brace between two places.
 *
 * @returns where the line ends
 */
export function sealInPlace(bytes: Uint8Array, start: number, end: number): number {
  const checksum = crc32(bytes, start, end);
  for (let index = 0; index < LINE_END_LENGTH; index++) bytes[end + index] = sealByte(checksum, index);
  return end + LINE_END_LENGTH;
}

/** The object of a sealed line without its line feed; `undefined` where the line is torn or damaged. */
export function unseal(line: Buffer): unknown {
  if (!isSealed(line)) return undefined;
  try {
    return JSON.parse(`${line.toString("utf8", 0, line.length - SEAL_LENGTH)}}`);
  } catch {
    // Sealed, but never JSON: one line must not make all others unreadable.
    return undefined;
  }
}

/** Whether a line, which ends before its line feed, is as it was sealed. */
export function isSealed(bytes: Uint8Array, start = 0, lineEnd = bytes.length): boolean {
  const end = lineEnd - SEAL_LENGTH;
  if (end <= start) return false;
  const checksum = crc32(bytes, start, end);
  for (let index = 0; index < SEAL_LENGTH; index++)
    if (bytes[end + index] !== sealByte(checksum, index)) return false;
  return true;
}

function sealByte(checksum: number, index: number): number {
  const digit = index - FIRST_DIGIT;
  if (digit < 0 || digit > 7) return LINE_END[index] as number;
  return DIGITS[(checksum >>> (28 - 4 * digit)) & 0xf] as number;
}
