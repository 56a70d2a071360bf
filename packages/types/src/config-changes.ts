/** A key that two configurations do not have in common. */
export interface Change {
  /** The keys from the top, with dots between them. */
  key: string;
  /** Absent where it is new. */
  before?: unknown;
  /** Absent where it is gone. */
  after?: unknown;
}

/** What is different in the second of two configurations: sections that both have are compared key by key. */
export function compareConfigs(before: object, after: object): Change[] {
  return compare("", before, after);
}

function compare(path: string, before: object, after: object): Change[] {
  const old = before as Record<string, unknown>;
  const next = after as Record<string, unknown>;
  const keys = [...new Set([...Object.keys(old), ...Object.keys(next)])];
  return keys.flatMap((name) => {
    const key = path === "" ? name : `${path}.${name}`;
    const [one, other] = [old[name], next[name]];
    if (isSection(one) && isSection(other)) return compare(key, one, other);
    if (JSON.stringify(one) === JSON.stringify(other)) return [];
    return [{ key, ...(name in old ? { before: one } : {}), ...(name in next ? { after: other } : {}) }];
  });
}

function isSection(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
