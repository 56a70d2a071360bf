import { StringDecoder } from "node:string_decoder";
import { redactText, spellingsOf } from "@ivy/types";

/** Characters of what a step printed that are kept: its end, where the reason of a failure stands. */
const KEPT = 64 * 1024;

/** Characters that are handed on line by line; a step that prints without end shall not fill a log. */
const HANDED_ON = 64 * 1024;

/** What is longer without a line break is cut, so that memory is bounded. */
const LONGEST_LINE = 16 * 1024;

/** Keeps the end of what a step prints, with secrets struck out, however they are written, in bounded memory. */
export class OutputTail {
  readonly #secrets: readonly string[];
  /** Characters in which the beginning of a secret may still hide. */
  readonly #overlap: number;
  readonly #onLine: ((line: string) => void) | undefined;
  #handedOn = 0;
  #kept = "";

  constructor(secrets: readonly string[], onLine?: (line: string) => void) {
    const spellings = [...new Set([...secrets, ...spellingsOf(secrets)])];
    this.#secrets = spellings.filter(Boolean).toSorted((a, b) => b.length - a.length);
    this.#overlap = Math.max(0, (this.#secrets[0]?.length ?? 0) - 1);
    this.#onLine = onLine;
  }

  /** Takes chunks of one stream; to be called with `undefined` at its end. */
  stream(): (chunk: Buffer | undefined) => void {
    const decoder = new StringDecoder("utf8");
    let open = "";
    return (chunk) => {
      open += chunk === undefined ? decoder.end() : decoder.write(chunk);
      const complete = chunk === undefined ? open.length : open.lastIndexOf("\n") + 1;
      const end = open.length - complete > LONGEST_LINE ? this.#safeEnd(open) : complete;
      this.#add(redactText(open.slice(0, end), this.#secrets));
      open = open.slice(end);
    };
  }

  /** At most 64 KiB. */
  toString(): string {
    return this.#kept.slice(-KEPT);
  }

  /** Where a text can be cut so that no secret is cut, even if only its beginning is there yet. */
  #safeEnd(text: string): number {
    let end = Math.max(0, text.length - this.#overlap);
    for (let before = -1; before !== end; ) {
      before = end;
      for (const secret of this.#secrets) {
        const start = text.indexOf(secret, Math.max(0, end - secret.length + 1));
        if (start !== -1 && start < end) end = start;
      }
    }
    return end;
  }

  #add(text: string): void {
    if (text === "") return;
    this.#kept += text;
    if (this.#kept.length > 2 * KEPT) this.#kept = this.#kept.slice(-KEPT);
    if (this.#onLine === undefined || this.#handedOn >= HANDED_ON) return;
    this.#handedOn += text.length;
    for (const line of text.slice(0, HANDED_ON).split("\n")) if (line.trim() !== "") this.#onLine(line);
  }
}
