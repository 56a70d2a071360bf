/** The value of a key, of whatever is there of the sections above it. */
export function valueAt(config: unknown, key: string): unknown {
  return key
    .split(".")
    .reduce<unknown>((inner, name) => (inner as Record<string, unknown> | null | undefined)?.[name], config);
}
