import { closest } from "fastest-levenshtein";
import * as z from "zod/mini";

/** A JSON Schema as zod makes it. */
export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** What there is to say about a key of a configuration. */
export interface KeyDescription {
  /** The keys from the top, with dots between them. */
  key: string;
  title: string;
  description: string;
  /** What it may be, in words. */
  allowed: string;
  required: boolean;
  /** What holds if it is left out; absent where nothing does. */
  default?: unknown;
  unit?: string;
  example?: unknown;
  /** The keys of a section. */
  keys?: readonly string[];
}

/** A configuration has no such key. */
export class UnknownKeyError extends Error {
  readonly code = "IVY_CONFIG_KEY_UNKNOWN";
  override readonly name = "UnknownKeyError";

  constructor(key: string, nearest: string) {
    super(`${key} is not a key of the configuration; did you mean ${nearest}?`);
  }
}

/** The JSON Schema of a configuration, as editors understand it. */
export function configJsonSchema(schema: z.ZodMiniType): JsonSchema {
  return z.toJSONSchema(schema, { unrepresentable: "any", io: "input" });
}

/**
 * Describes a key of a configuration.
 *
 * @param key - the keys from the top, with dots between them: `backend.max_drain_time`
 * @throws UnknownKeyError where there is no such key; names the nearest one
 */
export function describeKey(schema: z.ZodMiniType, key: string): KeyDescription {
  let there = configJsonSchema(schema);
  let required = true;
  for (const [depth, name] of key.split(".").entries()) {
    const inner = described(there);
    const deeper = inner.properties?.[name];
    if (typeof deeper !== "object") throw unknownKey(key, depth, Object.keys(inner.properties ?? {}));
    required = inner.required?.includes(name) ?? false;
    there = deeper as JsonSchema;
  }
  const { title = key, description = "", unit, examples } = there;
  const { properties } = described(there);
  return {
    key,
    title,
    description,
    allowed: describeAllowed(there),
    required,
    ...("default" in there ? { default: there.default } : {}),
    ...(typeof unit === "string" ? { unit } : {}),
    ...(examples === undefined ? {} : { example: examples[0] }),
    ...(properties === undefined ? {} : { keys: Object.keys(properties) }),
  };
}

function unknownKey(key: string, depth: number, known: readonly string[]): UnknownKeyError {
  const names = key.split(".");
  const above = names
    .slice(0, depth)
    .map((name) => `${name}.`)
    .join("");
  const nearest = known.length === 0 ? above.slice(0, -1) : above + closest(names[depth] ?? "", known);
  return new UnknownKeyError(key, nearest);
}

/** What a schema allows, in words. */
export function describeAllowed(there: JsonSchema | undefined): string {
  if (there === undefined) return "left out";
  if (there.anyOf !== undefined)
    return there.anyOf.map((option) => describeAllowed(option as JsonSchema)).join(" or ");
  if (there.enum !== undefined)
    return `one of ${there.enum.map((option) => JSON.stringify(option)).join(", ")}`;
  switch (there.type) {
    case "integer":
      return `a whole number from ${there.minimum} to ${there.maximum}`;
    case "boolean":
      return "true or false";
    case "array":
      return "a list";
    case "string":
      return `a text${length(there)}`;
    case "object":
      return `an object with the keys ${Object.keys(there.properties ?? {}).join(", ")}`;
    default:
      return there.type === undefined ? "something else" : `${there.type}`;
  }
}

function length({ minLength, maxLength }: JsonSchema): string {
  if (minLength === undefined) return "";
  return maxLength === undefined
    ? ` of at least ${minLength} character${minLength === 1 ? "" : "s"}`
    : ` of ${minLength} to ${maxLength} characters`;
}

/** The described one of the alternatives "this or null". */
export function described(there: JsonSchema): JsonSchema {
  const object = there.anyOf?.find((option) => typeof option === "object" && option.properties !== undefined);
  return (object as JsonSchema | undefined) ?? there;
}
