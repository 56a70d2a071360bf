import { readFileSync } from "node:fs";
import { isCode } from "@ivy/files";
import type * as z from "zod/mini";

/** Reads a record; `undefined` where it is missing or damaged: each has something to fall back to. */
export function readRecord<Value>(file: string, schema: z.ZodMiniType<Value>): Value | undefined {
  try {
    return schema.safeParse(JSON.parse(readFileSync(file, "utf8"))).data;
  } catch (error) {
    if (error instanceof SyntaxError || isCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

/** A record as the launcher can read it too: one key a line. */
export function recordText(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
