import { crc32 } from "node:zlib";

/** A sealed line ends with `,"c":"01234567"}`: the checksum of every byte before it. */
export const SEAL = /,"c":"[0-9a-f]{8}"\}/g;
export const SEAL_LENGTH = 16;

/** @param open - a JSON object without its closing brace */
export function seal(open: string): string {
  return `${open}${sealOf(open)}\n`;
}

/** The object of a sealed line without its line feed; `undefined` where the line is torn or damaged. */
export function unseal(line: Buffer): unknown {
  const end = line.length - SEAL_LENGTH;
  if (end <= 0 || line.toString("latin1", end) !== sealOf(line.subarray(0, end))) return undefined;
  return JSON.parse(`${line.toString("utf8", 0, end)}}`);
}

/** Whether a line is as it was sealed. @param text - the line, a byte a character */
export function isSealed(line: Buffer, text: string): boolean {
  const end = line.length - SEAL_LENGTH;
  return end > 0 && text.endsWith(sealOf(line.subarray(0, end)));
}

function sealOf(open: string | Buffer): string {
  return `,"c":"${crc32(open).toString(16).padStart(8, "0")}"}`;
}
