/** A metric as somebody reads it who knows OpenMetrics 1.0 only. */
export interface ParsedFamily {
  type: string;
  unit?: string;
  samples: { labels: Record<string, string>; value: number }[];
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = String.raw`([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"`;
const METADATA = new RegExp(`^# (TYPE|UNIT|HELP) (${NAME}) (.*)$`);
const SAMPLE = new RegExp(String.raw`^(${NAME})(?:\{((?:${LABEL},?)*)\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$`);
const SUFFIXES: Record<string, string> = { gauge: "", counter: "_total", info: "_info" };

/**
 * Reads OpenMetrics, and takes nothing that the standard does not allow: metadata first, families together and once
 * each, suffixes by type, units at the end of names, no value twice, the mark of the end.
 *
 * @throws Error with the line that is wrong
 */
export function parseOpenMetrics(text: string): Map<string, ParsedFamily> {
  if (!text.endsWith("\n# EOF\n")) throw new Error("the mark of the end is missing");
  const families = new Map<string, ParsedFamily>();
  let name = "";
  for (const line of text.split("\n").slice(0, -2)) {
    const wrong = (why: string) => new Error(`${why}: ${line}`);
    const [, kind, described = "", value = ""] = METADATA.exec(line) ?? [];
    if (kind === "TYPE") {
      if (families.has(described)) throw wrong("the family is there already");
      if (SUFFIXES[value] === undefined) throw wrong("unknown type");
      name = described;
      families.set(name, { type: value, samples: [] });
      continue;
    }
    const family = families.get(name);
    if (family === undefined) throw wrong("a type must come first");
    if (kind !== undefined) {
      if (described !== name || family.samples.length > 0)
        throw wrong("metadata of another family, or too late");
      if (kind === "UNIT" && !name.endsWith(`_${value}`)) throw wrong("the unit is not in the name");
      if (kind === "UNIT") family.unit = value;
      continue;
    }
    const [, sample, labelText = "", ...rest] = SAMPLE.exec(line) ?? [];
    if (sample !== name + SUFFIXES[family.type]) throw wrong("not a sample of this family");
    const number = Number(rest.at(-1));
    if (family.type === "counter" && number < 0) throw wrong("a counter below 0");
    const labels = Object.fromEntries(
      [...labelText.matchAll(new RegExp(LABEL, "g"))].map(([, key = "", quoted = ""]) => [key, quoted]),
    );
    if (family.samples.some((other) => JSON.stringify(other.labels) === JSON.stringify(labels)))
      throw wrong("there is a value already");
    family.samples.push({ labels, value: number });
  }
  return families;
}
