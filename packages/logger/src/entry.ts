import type { LogLevel } from "@ivy/types";
import { formatLocalTime } from "./local-time.ts";

const WIDTH = 40;

/** How an entry begins: nothing else in a log file does. */
export const BEGIN = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC[+-][\d.]+ - `;

/** What looks like the beginning of another entry. */
const FORGED = new RegExp(`^(?=${BEGIN})`, "gm");

/** What moves the cursor of a terminal, or makes it do other things. */
const CONTROL = /(?![\n\t])[\p{Cc}\p{Zl}\p{Zp}]/gu;

const INDENT = "  ";

/** A block below the line of an entry; left out where there is nothing to say. */
export interface Block {
  title: string;
  text: string | undefined;
}

/** What a log entry says. */
export interface Entry {
  level: LogLevel;
  subject: string;
  blocks: readonly Block[];
}

/** The line of an entry, in the format of the original. */
export function formatLine(instantMs: number, origin: string, { level, subject }: Entry): string {
  return `${formatLocalTime(instantMs)} - ${origin.padEnd(16)} - ${level.padEnd(9)} - ${subject}\n`;
}

/** The line of an entry as one that nobody takes for several: whatever stands below its begin is indented. */
export function asOneLine(line: string): string {
  return escapeControls(line).replaceAll(/\n(?!$)/g, `\n${INDENT}`);
}

/** The blocks of an entry as what nobody takes for further entries: what looks like the begin of one is indented. */
export function asBlocksOnly(blocks: string): string {
  return escapeControls(blocks).replaceAll(FORGED, INDENT);
}

function escapeControls(text: string): string {
  return text
    .replaceAll("\r\n", "\n")
    .replaceAll(CONTROL, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The blocks of an entry, each under a ruler with its title, with a ruler below the last. */
export function formatBlocks({ blocks }: Entry): string {
  const filled = blocks.filter(({ text }) => text !== undefined);
  if (filled.length === 0) return "";
  const parts = filled.map(({ title, text }) => `${`--- ${title} `.padEnd(WIDTH, "-")}\n${text}\n`);
  return `${parts.join("")}${"-".repeat(WIDTH)}\n`;
}
