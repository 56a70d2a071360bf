/** A value of a configuration as people read it. */
export function shown(value: unknown): string {
  return value === undefined ? "(nothing)" : JSON.stringify(value);
}
