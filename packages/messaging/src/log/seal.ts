import { crc32 } from "node:zlib";

/** A sealed line ends with `,"c":"01234567"}`: the checksum of every byte before it. */
export const SEAL = /,"c":"[0-9a-f]{8}"\}/g;
export const SEAL_LENGTH = 16;

/** @param open - a JSON object without its closing brace */
export function seal(open: string): string {
  return `${open}${sealOf(open)}\n`;
}

/**
 * The object of a sealed line without its line feed; `undefined` where the line is torn or damaged.
 *
 * @param text - the same line as text, where that is known already
 */
export function unseal(line: Buffer, text?: string): unknown {
  const end = line.length - SEAL_LENGTH;
  const found = text === undefined ? line.toString("latin1", end) : text.slice(end);
  if (end <= 0 || found !== sealOf(line.subarray(0, end))) return undefined;
  return JSON.parse(`${text === undefined ? line.toString("utf8", 0, end) : text.slice(0, end)}}`);
}

function sealOf(open: string | Buffer): string {
  return `,"c":"${crc32(open).toString(16).padStart(8, "0")}"}`;
}
