import type { Span } from "./place.ts";

/*
 * Sets of spans, each as a list in rising order without overlaps.
 */

/** Some spans in any order as a set: those that touch become one. */
export function joined(spans: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else if (from < to) result.push({ from, to });
  }
  return result;
}

/** What is left of a set without one span. */
export function without(spans: readonly Span[], gone: Span): Span[] {
  return spans.flatMap(({ from, to }) => {
    if (to <= gone.from || gone.to <= from) return [{ from, to }];
    const [before, after] = [
      { from, to: gone.from },
      { from: gone.to, to },
    ];
    return [before, after].filter((rest) => rest.from < rest.to);
  });
}

/** The parts of a set that lie within a span. */
export function within(spans: readonly Span[], bounds: Span): Span[] {
  return spans
    .map(({ from, to }) => ({ from: Math.max(from, bounds.from), to: Math.min(to, bounds.to) }))
    .filter(({ from, to }) => from < to);
}

/** The first span of a set that reaches beyond a number. */
export function firstBeyond(spans: readonly Span[], number: number): Span | undefined {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((spans[middle] as Span).to > number) high = middle;
    else low = middle + 1;
  }
  return spans[low];
}

export function contains(spans: readonly Span[], number: number): boolean {
  const span = firstBeyond(spans, number);
  return span !== undefined && span.from <= number;
}

export function lengthOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { from, to }) => sum + to - from, 0);
}
