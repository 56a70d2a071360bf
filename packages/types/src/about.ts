import * as z from "zod/mini";

/** What a key of a configuration is, for people and their editors: it travels in the JSON Schema. */
export interface About {
  /** A few words. */
  title: string;
  /** What it does, and what it means to leave it out where that is allowed. */
  description: string;
  /** What a number counts: `seconds`, `messages`. */
  unit?: string;
  /** A value that somebody would really use; sections need none, their keys have it. */
  example?: unknown;
}

/** Tells of a key: goes into the `check` of its schema, the outermost one. */
export function about({ example, ...rest }: About) {
  return z.meta(example === undefined ? rest : { ...rest, examples: [example] });
}

/** A text of 1 to 512 characters. */
export const text = (key: About) => z.string().check(z.minLength(1), z.maxLength(512), about(key));

/** A whole number from a minimum to a maximum. */
export const wholeNumber = (minimum: number, maximum: number, key: About) =>
  z.int().check(z.minimum(minimum), z.maximum(maximum), about(key));
