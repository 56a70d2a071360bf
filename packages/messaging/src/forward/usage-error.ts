/** The forwarder is not used as it can be: an option, the protocol or a publish is wrong. Trying again does not help. */
export class ForwarderUsageError extends Error {
  readonly code = "IVY_FORWARDER_USAGE";
  override readonly name = "ForwarderUsageError";

  /**
   * @param what - that is wrong
   * @param came - see {@link show}
   */
  constructor(what: string, came: string, allowed: string) {
    super(`${what} is ${came}; expected is ${allowed}`);
  }
}

/** What came, in few words; of what is no number and no text, only the kind. */
export function show(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  switch (typeof value) {
    case "string": {
      const text = JSON.stringify(value);
      return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
    }
    case "number":
    case "bigint":
    case "boolean":
    case "undefined":
      return String(value);
    case "object":
      return "an object";
    default:
      return `a ${typeof value}`;
  }
}
