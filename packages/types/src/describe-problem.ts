import { closest } from "fastest-levenshtein";
import * as z from "zod/mini";
import type { ConfigProblem } from "./config-error.ts";
import { secretsOf } from "./secret.ts";

type Issue = z.core.$ZodIssue;
type JsonSchema = z.core.JSONSchema.BaseSchema;

/** Turns what zod found into sentences: where, what came, what is allowed. Values of secret fields are not shown. */
export function describeProblems(
  schema: z.ZodMiniType,
  value: unknown,
  issues: readonly Issue[],
): ConfigProblem[] {
  const allowed = z.toJSONSchema(schema, { unrepresentable: "any", io: "input" });
  const secrets = secretsOf(value, schema);
  return issues.flatMap((issue) => {
    const there = issue.path.reduce<JsonSchema | undefined>(step, allowed);
    const path = issue.path.join(".");
    if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(path, key, there));
    const came = valueAt(value, issue.path);
    return [{ path, problem: `${saying(issue, there)}; came ${show(came, there, secrets)}` }];
  });
}

function unknownKey(path: string, key: string, there: JsonSchema | undefined): ConfigProblem {
  const known = Object.keys(resolve(there)?.properties ?? {});
  const hint =
    known.length === 0 ? "" : ` (did you mean "${closest(key, known)}"? allowed: ${known.join(", ")})`;
  return { path: path === "" ? key : `${path}.${key}`, problem: `is not a known key${hint}` };
}

function saying(issue: Issue, there: JsonSchema | undefined): string {
  const ownWords = issue.message !== "Invalid input" ? issue.message : undefined;
  return ownWords ?? `must be ${describeAllowed(there)}`;
}

function describeAllowed(there: JsonSchema | undefined): string {
  if (there === undefined) return "left out";
  if (there.anyOf !== undefined)
    return there.anyOf.map((option) => describeAllowed(option as JsonSchema)).join(" or ");
  if (there.enum !== undefined)
    return `one of ${there.enum.map((option) => JSON.stringify(option)).join(", ")}`;
  switch (there.type) {
    case "integer":
      return `a whole number from ${there.minimum} to ${there.maximum}`;
    case "string":
      return `a text${length(there)}`;
    case "object":
      return `an object with the keys ${Object.keys(there.properties ?? {}).join(", ")}`;
    default:
      return there.type === undefined ? "something else" : `${there.type}`;
  }
}

function length({ minLength, maxLength }: JsonSchema): string {
  return minLength === undefined || maxLength === undefined
    ? ""
    : ` of ${minLength} to ${maxLength} characters`;
}

function show(value: unknown, there: JsonSchema | undefined, secrets: readonly string[]): string {
  if (value === undefined) return "nothing: the key is missing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  const expectsObject = resolve(there)?.properties !== undefined;
  if (typeof value === "string" && (expectsObject || secrets.includes(value)))
    return `a text of ${value.length} characters`;
  const text = JSON.stringify(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key],
    value,
  );
}

/** One key deeper in a JSON Schema. */
function step(there: JsonSchema | undefined, key: PropertyKey): JsonSchema | undefined {
  const inner = resolve(there);
  const deeper = inner?.properties?.[String(key)] ?? (inner?.items as JsonSchema | undefined);
  return typeof deeper === "object" ? (deeper as JsonSchema) : undefined;
}

/** The described one of the alternatives "this or null". */
function resolve(there: JsonSchema | undefined): JsonSchema | undefined {
  const object = there?.anyOf?.find(
    (option) => typeof option === "object" && option.properties !== undefined,
  );
  return (object as JsonSchema | undefined) ?? there;
}
