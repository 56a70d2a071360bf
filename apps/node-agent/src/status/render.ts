import { styleText } from "node:util";
import type { StatusReport } from "./schema.ts";
import { age, bytes } from "./units.ts";

/** The status on one screen. Colours are left out where nobody sees them. */
export function renderStatus(report: StatusReport, name: string): string {
  const { version, revision, state, problems, processes } = report;
  const colour = state === "well" ? "green" : state === "stopped" ? "red" : "yellow";
  const head = `${name} ${version}, revision ${revision ?? "unknown"}: ${styleText(colour, state)}`;
  const facts = factsOf(report).map(([title, text]) => `${title.padEnd(10)}${text}`);
  const complaints = problems.map((problem) => `  ${styleText(colour, "!")} ${problem}`);
  const table = Object.keys(processes).length === 0 ? [] : ["", ...tableOf(processes)];
  return [head, ...complaints, "", ...facts, ...table].join("\n");
}

function factsOf({ main, link, queue, disk, clock, update, ...rest }: StatusReport): [string, string][] {
  const newest = rest.newest_message_age_seconds;
  return [
    ["Main", main === null ? "not running" : describeMain(main)],
    ["Link", link === null ? "none is configured" : describeLink(link)],
    ["Queue", queue === null ? "cannot be read" : describeQueue(queue)],
    ["Newest", newest === null ? "no message yet" : `message ${age(newest)} old`],
    ["Disk", `${bytes(disk.free_bytes)} of ${bytes(disk.total_bytes)} free`],
    [
      "Clock",
      clock.synchronised === null ? "unknown whether synchronised" : synchronised(clock.synchronised),
    ],
    ["Update", update === null ? "none under way" : describeUpdate(update)],
  ];
}

const synchronised = (is: boolean) => (is ? "synchronised" : "not synchronised");

function describeMain({
  pid,
  uptime_seconds,
  memory_bytes,
  answers,
}: NonNullable<StatusReport["main"]>): string {
  const memory = memory_bytes === null ? "" : `, ${bytes(memory_bytes)}`;
  return `process ${pid}, up for ${age(uptime_seconds)}${memory}${answers ? "" : ", does not answer"}`;
}

function describeLink({ connected, ...ages }: NonNullable<StatusReport["link"]>): string {
  if (connected === null) return "unknown";
  const since = ages.since_seconds === null ? "" : ` for ${age(ages.since_seconds)}`;
  const acknowledged = ages.last_acknowledged_age_seconds;
  const last = acknowledged === null ? "" : `, last acknowledgement ${age(acknowledged)} ago`;
  return `${connected ? "connected" : "not connected"}${since}${last}`;
}

function describeQueue({ messages, dead, dropped, ...rest }: NonNullable<StatusReport["queue"]>): string {
  const oldest = rest.oldest_age_seconds;
  const waiting =
    messages === 0 || oldest === null
      ? "empty"
      : `${count(messages, "message")} (${bytes(rest.bytes)}), the oldest ${age(oldest)} old`;
  const lost = [dead > 0 && count(dead, "dead letter"), dropped > 0 && `${dropped} dropped`].filter(Boolean);
  return [waiting, ...lost].join(", ");
}

const count = (number: number, what: string) => `${number} ${what}${number === 1 ? "" : "s"}`;

function describeUpdate({ state, from, to, attempt, text }: NonNullable<StatusReport["update"]>): string {
  const start = attempt === null ? "" : `, start ${attempt}`;
  const why = text === null ? "" : ` (${text})`;
  return `${state}: ${from ?? "?"} -> ${to ?? "?"}${start}${why}`;
}

function tableOf(processes: StatusReport["processes"]): string[] {
  const perhaps = (value: number | null, show: (value: number) => string) =>
    value === null ? "-" : show(value);
  const rows = Object.entries(processes).map(([name, process]) => [
    name,
    process.crash_loop ? "crash loop" : process.state,
    perhaps(process.pid, String),
    perhaps(process.uptime_seconds, age),
    String(process.restarts),
    perhaps(process.memory_bytes, bytes),
    perhaps(process.last_turn_age_seconds, age),
  ]);
  const titles = ["PROCESS", "STATE", "PID", "UP", "RESTARTS", "MEMORY", "LAST DATA"];
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return [titles, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
