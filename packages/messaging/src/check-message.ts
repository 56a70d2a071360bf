import type * as z from "zod/mini";
import { InvalidMessageError } from "./store-error.ts";

type Issue = z.core.$ZodIssue;

/** @throws InvalidMessageError with every problem: key path, what came, what is allowed */
export function checkMessage<Body>(schema: z.ZodMiniType<Body>, body: unknown): Body {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw new InvalidMessageError(result.error.issues.flatMap((issue) => describe(issue, body)));
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
      return `must be one of ${issue.values.map((value) => JSON.stringify(value)).join(", ")}`;
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
  if (typeof value === "number") return String(value);
  const text = JSON.stringify(value) ?? typeof value;
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}
