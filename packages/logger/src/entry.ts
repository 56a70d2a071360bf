import type { LogLevel } from "@ivy/types";
import { formatLocalTime } from "./local-time.ts";

const WIDTH = 40;

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

/** The blocks of an entry, each under a ruler with its title, with a ruler below the last. */
export function formatBlocks({ blocks }: Entry): string {
  const filled = blocks.filter(({ text }) => text !== undefined);
  if (filled.length === 0) return "";
  const parts = filled.map(({ title, text }) => `${`--- ${title} `.padEnd(WIDTH, "-")}\n${text}\n`);
  return `${parts.join("")}${"-".repeat(WIDTH)}\n`;
}
