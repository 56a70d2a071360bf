import type { MessageCounts } from "@ivy/lifecycle";
import type { StatusReport } from "../status/schema.ts";
import type { MetricFamily, Sample } from "./open-metrics.ts";

/** Everything that the status knows, and counters of messages, as metrics. Names are only ever added. */
export function metricFamilies(report: StatusReport, counts: MessageCounts): MetricFamily[] {
  return [
    {
      name: "ivy_agent",
      type: "info",
      help: "The software",
      samples: [{ labels: { version: report.version }, value: 1 }],
    },
    gauge("ivy_well", "1 if nothing is wrong", report.state === "well"),
    gauge("ivy_problems", "How many things are wrong", report.problems.length),
    gauge("ivy_config_revision", "Revision of the configuration in force", report.revision),
    seconds(
      "ivy_uptime_seconds",
      "How long the main process has been running",
      report.main?.uptime_seconds ?? null,
    ),
    gauge("ivy_safe_mode", "1 if the agent runs with as little as possible", report.main?.safe_mode ?? null),
    bytes("ivy_memory_bytes", "Share of the memory of the main process", report.main?.memory_bytes ?? null),
    ...ofProcesses(report.processes),
    ...ofMessages(report, counts),
    ...ofSurroundings(report),
  ];
}

function ofProcesses(processes: StatusReport["processes"]): MetricFamily[] {
  type Process = StatusReport["processes"][string];
  const each = (value: (process: Process) => Sample["value"]): Sample[] =>
    Object.entries(processes).map(([name, process]) => ({
      labels: { process: name },
      value: value(process),
    }));
  return [
    gauge(
      "ivy_process_running",
      "1 if the process runs",
      each(({ state }) => state === "running"),
    ),
    {
      ...counter("ivy_process_restarts", "How often the process has been started again", 0),
      samples: each(({ restarts }) => restarts),
    },
    gauge(
      "ivy_process_crash_loop",
      "1 if the process dies again and again",
      each(({ crash_loop }) => crash_loop),
    ),
    gauge(
      "ivy_process_failures",
      "Turns of its loop that have failed in a row",
      each(({ failures }) => failures),
    ),
    seconds(
      "ivy_process_uptime_seconds",
      "How long the process has been running",
      each((one) => one.uptime_seconds),
    ),
    bytes(
      "ivy_process_memory_bytes",
      "Share of the memory of the process, which procedures may have in common",
      each((one) => one.memory_bytes),
    ),
    seconds(
      "ivy_process_last_turn_age_seconds",
      "How long ago its loop has last come round and worked",
      each((one) => one.last_turn_age_seconds),
    ),
  ];
}

function ofMessages({ queue, link, ...report }: StatusReport, counts: MessageCounts): MetricFamily[] {
  return [
    counter(
      "ivy_messages_stored",
      "Messages that have been stored since the agent was started",
      counts.stored,
    ),
    {
      ...counter("ivy_messages_stored_bytes", "Bytes that have been written for them", counts.storedBytes),
      unit: "bytes",
    },
    counter(
      "ivy_messages_acknowledged",
      "Messages that the server has acknowledged since then",
      counts.acknowledged,
    ),
    counter("ivy_messages_dropped", "Messages that the limits have dropped unsent", queue?.dropped ?? null),
    gauge("ivy_messages_dead", "Messages that were set aside", queue?.dead ?? null),
    gauge("ivy_queue_messages", "Messages that the server has not acknowledged", queue?.messages ?? null),
    bytes("ivy_queue_bytes", "Bytes of these messages", queue?.bytes ?? null),
    seconds("ivy_queue_oldest_age_seconds", "Age of the oldest of them", queue?.oldest_age_seconds ?? null),
    seconds("ivy_newest_message_age_seconds", "Age of the newest message", report.newest_message_age_seconds),
    gauge("ivy_link_connected", "1 if there is a connection to the server", link?.connected ?? null),
    seconds("ivy_link_since_seconds", "How long this has been so", link?.since_seconds ?? null),
    seconds(
      "ivy_link_last_acknowledged_age_seconds",
      "How long ago the server has last acknowledged a message",
      link?.last_acknowledged_age_seconds ?? null,
    ),
  ];
}

function ofSurroundings({ disk, clock, update }: StatusReport): MetricFamily[] {
  return [
    bytes("ivy_disk_free_bytes", "Free room on the disk of the data folder", disk.free_bytes),
    bytes("ivy_disk_size_bytes", "Size of that disk", disk.total_bytes),
    gauge("ivy_disk_free_inodes", "How many more files it can hold", disk.free_inodes),
    gauge("ivy_clock_synchronised", "1 if a time server has set the clock", clock.synchronised),
    gauge(
      "ivy_update_under_way",
      "1 while a version or configuration is prepared or has to prove itself",
      update !== null,
    ),
  ];
}

type Values = Sample["value"] | readonly Sample[];

function gauge(name: string, help: string, values: Values): MetricFamily {
  const samples = Array.isArray(values)
    ? (values as readonly Sample[])
    : [{ value: values as Sample["value"] }];
  return { name, type: "gauge", help, samples };
}

const seconds = (name: string, help: string, values: Values): MetricFamily => ({
  ...gauge(name, `${help}, in seconds`, values),
  unit: "seconds",
});

const bytes = (name: string, help: string, values: Values): MetricFamily => ({
  ...gauge(name, help, values),
  unit: "bytes",
});

function counter(name: string, help: string, value: Sample["value"]): MetricFamily {
  return { name, type: "counter", help, samples: [{ value }] };
}
