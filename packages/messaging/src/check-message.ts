import type * as z from "zod/mini";
import { InvalidMessageError } from "./store-error.ts";

type Issue = z.core.$ZodIssue;

/** What a message body must look like: a schema of `zod` or `zod/mini`. */
export interface Schema<Body, Input = Body> extends z.core.$ZodType<Body, Input> {
  safeParse(body: unknown): z.core.util.SafeParseResult<unknown>;
}

/**
 * The JSON text of a body, as a schema makes it.
 *
 * @throws InvalidMessageError with every problem: key path, what came, what is allowed
 */
export function encodeChecked(schema: Schema<unknown, unknown>, body: unknown): string {
  const result = parse(schema, body);
  if (result.success) return encodeBody(result.data);
  throw new InvalidMessageError(result.error.issues.flatMap((issue) => describe(issue, body)));
}

/** @throws InvalidMessageError where a body is nothing that JSON can hold */
export function encodeBody(body: unknown): string {
  const text = attempt("must be something that JSON can hold", () => JSON.stringify(body));
  if (text !== undefined) return text;
  throw new InvalidMessageError([
    { path: "the message", problem: `must be something that JSON can hold; came ${typeof body}` },
  ]);
}

function parse(schema: Schema<unknown, unknown>, body: unknown): z.core.util.SafeParseResult<unknown> {
  return attempt("must be judged by its schema at once, without a failure", () => schema.safeParse(body));
}

/** @throws InvalidMessageError where the work throws anything */
function attempt<Result>(expected: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new InvalidMessageError([{ path: "the message", problem: `${expected}; ${what}` }], error);
  }
}

function describe(issue: Issue, body: unknown): { path: string; problem: string }[] {
  const path = issue.path.join(".") || "the message";
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ path: [...issue.path, key].join("."), problem: "is not a known key" }));
  }
  const came = issue.path.reduce<unknown>(
    (inner, key) => (inner as Record<PropertyKey, unknown>)?.[key],
    body,
  );
  return [{ path, problem: `${allowed(issue)}; came ${show(came)}` }];
}

function allowed(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${issue.expected}`;
    case "invalid_value":
      return `must be one of ${issue.values.map(toText).join(", ")}`;
    case "invalid_union": {
      const options = issue.errors.flat().map(allowed);
      return options.length === 0 ? "must be of a known variant" : [...new Set(options)].join(" or ");
    }
    default:
      return issue.message;
  }
}

function show(value: unknown): string {
  if (value === undefined) return "nothing: the key is missing";
  const text = toText(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}

function toText(value: unknown): string {
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  try {
    return JSON.stringify(value) ?? typeof value;
  } catch {
    return `what JSON cannot hold (${typeof value})`;
  }
}
