/** A name that nobody else has. Not a secret, so it does without node:crypto, which takes a MB to load. */
export function randomName(): string {
  return Math.random().toString(36).slice(2, 12).padEnd(10, "0");
}
