import { SEAL, SEAL_LENGTH, seal, unseal } from "./seal.ts";

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

/** The first line of a file of the log. */
export interface LogHeader {
  /** The file's place in the order of its lane. */
  file: number;
  /** The same in all files of a log: a log that was deleted is not mistaken for the one that follows it. */
  log: string;
  /** When the machine was started last before the file was created, as the kernel names it. */
  boot: string;
}

/** A record with where it stands in its line. */
export interface FoundRecord {
  at: number;
  length: number;
  record: LogRecord;
}

const START = '{"v":1,"id":"';

export function encodeRecord(record: LogRecord): string {
  return seal(openRecord(record, JSON.stringify(record.m)));
}

/**
 * A line without its end, which the seal is part of.
 *
 * @param m - the message body in JSON
 */
export function openRecord({ id, t, r }: Omit<LogRecord, "m">, m: string): string {
  const revision = r === undefined ? "" : `,"r":${r}`;
  return `{"v":1,"id":"${id}","t":${t}${revision},"m":${m}`;
}

export function encodeHeader({ file, log, boot }: LogHeader): string {
  return seal(`{"v":1,"file":${file},"log":"${log}","boot":"${boot}"`);
}

/** Reads a line without its line feed; `undefined` where the line is torn or damaged. */
export function decodeRecord(line: Buffer): LogRecord | undefined {
  const content = unseal(line) as LogRecord | undefined;
  return content === undefined || typeof content.t !== "number" ? undefined : content;
}

/** What stands before the body of a record. */
const HEAD = /\{"v":1,"id":"[^"\\\n]*","t":(\d+)(?:,"r":(\d+))?,"m":/y;

/** What can be seen of a record without a look at its body, or at whether it is damaged. */
export interface RecordHead extends Pick<LogRecord, "t" | "r"> {
  /** Where the body begins. */
  body: number;
}

/** The head of a record that begins at an index of a text; `undefined` where there is none as usual. */
export function shownHead(text: string, index: number): RecordHead | undefined {
  HEAD.lastIndex = index;
  const [, t, r] = HEAD.exec(text) ?? [];
  if (t === undefined) return undefined;
  return { t: Number(t), r: r === undefined ? undefined : Number(r), body: HEAD.lastIndex };
}

export function decodeHeader(line: Buffer): LogHeader | undefined {
  const content = unseal(line) as LogHeader | undefined;
  return typeof content?.file === "number" ? content : undefined;
}

/**
 * The whole records in a damaged line. A line that was torn on a full disk and the next one, or two whose line feed was
 * damaged, are one line.
 */
export function salvage(line: Buffer): FoundRecord[] {
  const text = line.toString("latin1");
  const ends = [...text.matchAll(SEAL)].map(({ index }) => index + SEAL_LENGTH);
  const found: FoundRecord[] = [];
  let done = 0;
  for (let at = text.indexOf(START); at >= 0; at = text.indexOf(START, Math.max(at + 1, done))) {
    for (const end of ends.filter((candidate) => candidate > at)) {
      const record = decodeRecord(line.subarray(at, end));
      if (record === undefined) continue;
      found.push({ at, length: end - at, record });
      done = end;
      break;
    }
  }
  return found;
}
