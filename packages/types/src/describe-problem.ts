import { closest } from "fastest-levenshtein";
import type * as z from "zod/mini";
import type { ConfigProblem } from "./config-error.ts";
import { configJsonSchema, describeAllowed, described, type JsonSchema } from "./config-schema.ts";
import { REDACTED, redact } from "./secret.ts";

type Issue = z.core.$ZodIssue;

/** Turns what zod found into sentences: where, what came, what is allowed. Values of secret fields are not shown. */
export function describeProblems(
  schema: z.ZodMiniType,
  value: unknown,
  issues: readonly Issue[],
): ConfigProblem[] {
  const allowed = configJsonSchema(schema);
  const shown = redact(value, schema);
  return issues.flatMap((issue) => {
    const there = issue.path.reduce<JsonSchema | undefined>(step, allowed);
    const path = issue.path.join(".");
    if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(path, key, there));
    const isSecret = pathTo(shown, issue.path).includes(REDACTED);
    const came = show(valueAt(value, issue.path), there, isSecret);
    return [{ path, problem: `${saying(issue, there)}; came ${came}` }];
  });
}

function unknownKey(path: string, key: string, there: JsonSchema | undefined): ConfigProblem {
  const known = Object.keys((there && described(there).properties) ?? {});
  const hint =
    known.length === 0 ? "" : ` (did you mean "${closest(key, known)}"? allowed: ${known.join(", ")})`;
  return { path: path === "" ? key : `${path}.${key}`, problem: `is not a known key${hint}` };
}

function saying(issue: Issue, there: JsonSchema | undefined): string {
  const ownWords = issue.message !== "Invalid input" ? issue.message : undefined;
  return ownWords ?? `must be ${describeAllowed(there)}`;
}

function show(value: unknown, there: JsonSchema | undefined, isSecret: boolean): string {
  if (value === undefined) return "nothing: the key is missing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  const expectsObject = there && described(there).properties !== undefined;
  if (typeof value === "string" && (expectsObject || isSecret)) return `a text of ${value.length} characters`;
  if (isSecret) return `a ${typeof value}`;
  const text = JSON.stringify(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return pathTo(value, path).at(-1);
}

/** A value, and each one below it on a path. */
function pathTo(value: unknown, path: readonly PropertyKey[]): unknown[] {
  const values = [value];
  for (const key of path)
    values.push((values.at(-1) as Record<PropertyKey, unknown> | null | undefined)?.[key]);
  return values;
}

/** One key deeper in a JSON Schema. */
function step(there: JsonSchema | undefined, key: PropertyKey): JsonSchema | undefined {
  const inner = there && described(there);
  const deeper = inner?.properties?.[String(key)] ?? (inner?.items as JsonSchema | undefined);
  return typeof deeper === "object" ? (deeper as JsonSchema) : undefined;
}
