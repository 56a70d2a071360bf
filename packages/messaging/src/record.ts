import { crc32 } from "node:zlib";

/** One message as a line of the log holds it. */
export interface LogRecord {
  /** Writer and count, so that a message can be told from its duplicate wherever it ends up. */
  id: string;
  /** Unix time in milliseconds at which it was added. */
  t: number;
  /** Revision of the configuration in force. */
  r?: number | undefined;
  /** The message body. */
  m: unknown;
}

/** The line ends with `,"c":"01234567"}`: the checksum of every byte before it. */
const TAIL_LENGTH = 16;

export function encodeRecord({ id, t, r, m }: LogRecord): string {
  const revision = r === undefined ? "" : `,"r":${r}`;
  return seal(`{"v":1,"id":"${id}","t":${t}${revision},"m":${JSON.stringify(m)}`);
}

/** The first line of a log file: its place in the order of all files. */
export function encodeHeader(sequence: number): string {
  return seal(`{"v":1,"file":${sequence}`);
}

/** Reads a line without its line feed; `undefined` where the line is torn or damaged. */
export function decodeRecord(line: Buffer): LogRecord | undefined {
  const content = unseal(line) as LogRecord | undefined;
  return content === undefined || typeof content.t !== "number" ? undefined : content;
}

export function decodeHeader(line: Buffer): number | undefined {
  const content = unseal(line) as { file?: number } | undefined;
  return content?.file;
}

function seal(open: string): string {
  return `${open}${checksumOf(open)}\n`;
}

function unseal(line: Buffer): unknown {
  const end = line.length - TAIL_LENGTH;
  if (end <= 0 || line.toString("latin1", end) !== checksumOf(line.subarray(0, end))) return undefined;
  return JSON.parse(`${line.toString("utf8", 0, end)}}`);
}

/** The end of a line, which closes the object that the line is. */
function checksumOf(open: string | Buffer): string {
  return `,"c":"${crc32(open).toString(16).padStart(8, "0")}"}`;
}
