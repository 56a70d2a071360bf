/** ThingsBoard stores a number with more decimals as a text. */
const DECIMALS = 16;

/** Beyond its whole numbers of 64 bits; below zero too, for a double is written with its first digits only. */
const BEYOND_INT64 = 2 ** 63;

const LONGEST_KEY = 255;

/** A value as it is sent, or why it cannot be. */
export type Carried = { value: number | string } | { problem: string };

export function carriedValue(key: string, value: unknown): Carried {
  const problem = complaintAboutKey(key);
  if (problem !== undefined) return { problem };
  if (typeof value === "string") return { value };
  if (typeof value !== "number") return { problem: "is neither a number nor a text" };
  if (!Number.isFinite(value)) return { problem: "is not finite" };
  if (Math.abs(value) >= BEYOND_INT64) return { problem: "does not fit into 64 bits" };
  // From 1 on, the shortest form of a double never has more decimals.
  return { value: Math.abs(value) < 1 ? Number(value.toFixed(DECIMALS)) : value };
}

/** Why ThingsBoard would drop everything that comes with a key, after it has acknowledged it. */
function complaintAboutKey(key: string): string | undefined {
  if (key.trim() === "") return "is a blank key";
  if (key.length > LONGEST_KEY) return `is a key of more than ${LONGEST_KEY} characters`;
  if (/<|\{\{/.test(key)) return "is a key with markup in it";
  return undefined;
}
