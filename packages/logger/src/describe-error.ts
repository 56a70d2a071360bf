/** The parts of an error that a log entry shows. */
export interface DescribedError {
  /** `TypeError: message`, in one line. */
  title: string;
  /** The stack, with those of its causes and of the errors it gathers. */
  traceback: string;
  /** What the error itself adds, in a text property `details`. */
  details: string | undefined;
}

export function describeError(error: unknown): DescribedError {
  if (!(error instanceof Error))
    return { title: `Error: ${asText(error)}`, traceback: asText(error), details: undefined };
  const details = "details" in error && typeof error.details === "string" ? error.details : undefined;
  const title = `${error.name}: ${error.message}`.split("\n", 1)[0] ?? error.name;
  return { title, traceback: traceback(error, new Set()).join("\n"), details };
}

function traceback(error: unknown, seen: Set<unknown>): string[] {
  if (seen.has(error)) return [];
  seen.add(error);
  if (!(error instanceof Error)) return [asText(error)];
  const gathered = error instanceof AggregateError ? error.errors : [];
  return [
    error.stack ?? `${error.name}: ${error.message}`,
    ...(error.cause === undefined ? [] : ["caused by", ...traceback(error.cause, seen)]),
    ...gathered.flatMap((inner) => ["together with", ...traceback(inner, seen)]),
  ];
}

/** What was thrown without being an error. As JSON, for in that secrets are found. */
function asText(thrown: unknown): string {
  if (typeof thrown !== "object" || thrown === null) return String(thrown);
  try {
    return JSON.stringify(thrown);
  } catch {
    // It holds itself, say.
    return Object.prototype.toString.call(thrown);
  }
}
