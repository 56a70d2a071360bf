import * as z from "zod/mini";
import { about, text, wholeNumber } from "./about.ts";
import { BackendConfig } from "./backend-config.ts";
import { GeneralConfig } from "./general-config.ts";
import { LogLevel } from "./log-level.ts";
import { UpdaterConfig } from "./updater-config.ts";

const sink = (title: string, description: string, example: LogLevel) =>
  z.nullable(LogLevel).check(about({ title, description, example }));

/** Minimum level of what goes to each sink; `null` sends nothing there. */
export const LoggingVerbosityConfig = z.strictObject({
  file_archive: sink("Log files", "Minimum level of the daily files in data/logs; null for none", "DEBUG"),
  console_prints: sink("Console", "Minimum level of what is printed; null for nothing", "INFO"),
  message_sending: sink("Server", "Minimum level of what is sent to the server; null for nothing", "WARNING"),
});
export type LoggingVerbosityConfig = z.infer<typeof LoggingVerbosityConfig>;

export const DummyProcedureConfig = z.strictObject({
  seconds_between_datapoints: wholeNumber(1, 7_200, {
    title: "Interval",
    description: "Time from one data point to the next",
    unit: "seconds",
    example: 10,
  }),
});
export type DummyProcedureConfig = z.infer<typeof DummyProcedureConfig>;

export const SystemChecksConfig = z.strictObject({
  seconds_between_checks: wholeNumber(1, 7_200, {
    title: "Interval",
    description: "Time from one check to the next",
    unit: "seconds",
    example: 120,
  }),
});
export type SystemChecksConfig = z.infer<typeof SystemChecksConfig>;

export const SupervisionConfig = z.strictObject({
  missed_intervals: z._default(
    wholeNumber(2, 1_000, {
      title: "Missed intervals",
      description:
        "A procedure whose loop does not come round for so many of its intervals is taken down and started again",
      unit: "intervals",
      example: 10,
    }),
    5,
  ),
  shortest_patience: z._default(
    wholeNumber(1, 86_400, {
      title: "Shortest patience",
      description: "But never before its next turn is overdue for this long",
      unit: "seconds",
      example: 120,
    }),
    60,
  ),
  start_patience: z._default(
    wholeNumber(1, 86_400, {
      title: "Patience at the start",
      description:
        "How long a procedure may take to come to its loop, and then to measure for the first time",
      unit: "seconds",
      example: 1_800,
    }),
    600,
  ),
  share_process: z._default(
    z.boolean().check(
      about({
        title: "One process for all procedures",
        description:
          "Procedures share a process, which saves memory; when one of them dies or hangs, all are started again",
        example: true,
      }),
    ),
    false,
  ),
});
export type SupervisionConfig = z.infer<typeof SupervisionConfig>;

export const MetricsConfig = z.strictObject({
  listen: z.string().check(
    z.regex(
      /^((127\.\d+\.\d+\.\d+|localhost|\[::1\]):(\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])|unix:.+)$/,
      "must be a port of this machine like 127.0.0.1:9464, or a socket like unix:metrics.sock",
    ),
    about({
      title: "Address",
      description:
        "Where metrics are served: a loopback address with a port, or unix: and the path of a socket, relative to the data folder",
      example: "127.0.0.1:9464",
    }),
  ),
});
export type MetricsConfig = z.infer<typeof MetricsConfig>;

/** The configuration of this version. Extend it with the sections of your own procedures: `z.extend(Config, {...})`. */
export const Config = z.strictObject({
  $schema: z.optional(
    text({
      title: "Schema",
      description:
        "JSON Schema of this file, for editors: they complete keys and show mistakes. Not used by the node",
      example: "./config.schema.json",
    }),
  ),
  general: GeneralConfig.check(
    about({ title: "General", description: "What this file is, and for which system and software" }),
  ),
  logging_verbosity: LoggingVerbosityConfig.check(
    about({ title: "Logging", description: "Minimum level of what goes to each place" }),
  ),
  updater: z.optional(z.nullable(UpdaterConfig)).check(
    about({
      title: "Updater",
      description:
        "Where new versions of the software come from; with null or without it no new version is ever fetched",
    }),
  ),
  backend: z.optional(z.nullable(BackendConfig)).check(
    about({
      title: "Backend",
      description: "The server that messages go to; with null or without it nothing is sent",
    }),
  ),
  supervision: z.optional(SupervisionConfig).check(
    about({
      title: "Supervision",
      description:
        "When a process that makes no progress is started again, and whether procedures share one; with the defaults without it",
    }),
  ),
  metrics: z.optional(z.nullable(MetricsConfig)).check(
    about({
      title: "Metrics",
      description: "Metrics for a monitoring system on this machine; not served with null or without it",
    }),
  ),
  dummy_procedure: DummyProcedureConfig.check(
    about({ title: "Dummy procedure", description: "An example: a random walk in two dimensions" }),
  ),
  system_checks: SystemChecksConfig.check(
    about({ title: "System checks", description: "Looks after load and time of the last boot" }),
  ),
});
export type Config = z.infer<typeof Config>;
