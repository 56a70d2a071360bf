/** Prints a line. */
export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Prints a value as JSON, for machines. */
export function sayJson(value: unknown): void {
  say(JSON.stringify(value, undefined, 2));
}
