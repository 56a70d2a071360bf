/** One value, perhaps one of several that differ in their labels. */
export interface Sample {
  labels?: Record<string, string>;
  /** `null`: it is not known, so it is left out. */
  value: number | boolean | null;
}

/** A metric. Names of counters are given without `_total`. */
export interface MetricFamily {
  name: string;
  type: "gauge" | "counter" | "info";
  /** Must be the end of the name. */
  unit?: "seconds" | "bytes";
  help: string;
  samples: readonly Sample[];
}

const SUFFIX = { gauge: "", counter: "_total", info: "_info" };

export const CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/** Metrics as OpenMetrics 1.0 writes them. What is not known is left out. */
export function openMetrics(families: readonly MetricFamily[]): string {
  return `${families.map(familyText).join("")}# EOF\n`;
}

function familyText({ name, type, unit, help, samples }: MetricFamily): string {
  const known = samples.filter(({ value }) => value !== null);
  if (known.length === 0) return "";
  const lines = [
    `# TYPE ${name} ${type}`,
    ...(unit ? [`# UNIT ${name} ${unit}`] : []),
    `# HELP ${name} ${escaped(help)}`,
  ];
  const values = known.map(
    ({ labels, value }) => `${name}${SUFFIX[type]}${labelText(labels)} ${Number(value)}`,
  );
  return `${[...lines, ...values].join("\n")}\n`;
}

function labelText(labels: Record<string, string> = {}): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}
