import type { Lane } from "./place.ts";

const NAME = /^\d{4}-\d{2}-\d{2}(?:\.(\d+))?(?:\.urgent)?\.jsonl$/;

export function isLogFile(name: string): boolean {
  return NAME.test(name);
}

export function laneOf(name: string): Lane {
  return name.endsWith(".urgent.jsonl") ? "urgent" : "regular";
}

/** The first file of a day has no sequence in its name. */
export function byDayAndSequence(a: string, b: string): number {
  return byText(a.slice(0, 10), b.slice(0, 10)) || (sequenceIn(a) ?? 0) - (sequenceIn(b) ?? 0);
}

/** Not `localeCompare`, which takes 10 ms to load what it knows of languages. */
function byText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

export function sequenceIn(name: string): number | undefined {
  const [, sequence] = NAME.exec(name) ?? [];
  return sequence === undefined ? undefined : Number(sequence);
}
