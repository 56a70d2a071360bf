import * as z from "zod/mini";
import { LogLevel } from "./log-level.ts";
import { secret } from "./secret.ts";
import { topicTemplate } from "./topic-template.ts";
import { Version } from "./version.ts";

const text = (description: string) =>
  z.string().check(z.minLength(1), z.maxLength(512), z.describe(description));

const wholeNumber = (minimum: number, maximum: number, description: string) =>
  z.int().check(z.minimum(minimum), z.maximum(maximum), z.describe(description));

/** The largest revision that the servers accept. */
export const MAX_REVISION = 2 ** 31 - 1;

export const GeneralConfig = z.strictObject({
  config_revision: wholeNumber(
    -1,
    MAX_REVISION,
    "Revision of this file, counted up with every change; messages carry it. -1: no server has sent a configuration yet",
  ),
  software_version: Version,
  software_commit: z
    .optional(z.string().check(z.regex(/^[0-9a-f]{40}$/, "must be the 40 hexadecimal digits of a commit")))
    .check(z.describe("Commit that the tag of this version must stand for; not checked without")),
  system_identifier: text("Name of this system at the server; for Tenta the sensor identifier"),
});
export type GeneralConfig = z.infer<typeof GeneralConfig>;

/** Minimum level of what goes to each sink; `null` sends nothing there. */
export const LoggingVerbosityConfig = z.strictObject({
  file_archive: z.nullable(LogLevel).check(z.describe("Minimum level of the daily files in data/logs")),
  console_prints: z.nullable(LogLevel).check(z.describe("Minimum level of what is printed")),
  message_sending: z.nullable(LogLevel).check(z.describe("Minimum level of what is sent to the server")),
});
export type LoggingVerbosityConfig = z.infer<typeof LoggingVerbosityConfig>;

const SourceConflictStrategy = z.enum(["overwrite", "reuse"]);

const timeOfDay = (description: string) =>
  z
    .string()
    .check(z.regex(/^([01]\d|2[0-3]):[0-5]\d$/, "must be a time of day like 02:30"), z.describe(description));

export const MaintenanceWindowConfig = z.strictObject({
  from: timeOfDay("Local time at which new versions may begin to be put in force"),
  to: timeOfDay(
    "Local time from which on they wait for the next day; before `from`, it is that of the next morning",
  ),
});
export type MaintenanceWindowConfig = z.infer<typeof MaintenanceWindowConfig>;

export const UpdaterConfig = z
  .strictObject({
    repository: z
      .string()
      .check(
        z.regex(/^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)+$/, "must be a repository like orgname/reponame"),
        z.describe("Repository of the source code"),
      ),
    provider: z
      .enum(["github", "gitlab", "git"])
      .check(z.describe("Kind of the code host; `git` is any host that git can clone from")),
    provider_host: z
      .string()
      .check(
        z.minLength(3),
        z.regex(/^[A-Za-z0-9.-]+(:\d{1,5})?$/, "must be a host name like github.com"),
        z.describe("Host name of the code host"),
      ),
    remote: z
      .optional(z.string())
      .check(
        z.describe(
          "For the provider git: what to clone from, if it is not https://PROVIDER_HOST/REPOSITORY.git; may be an ssh remote",
        ),
      ),
    access_token: z.optional(
      z.nullable(
        secret(
          z
            .string()
            .check(
              z.minLength(3),
              z.maxLength(256),
              z.describe("Access token; not needed for a public repository"),
            ),
        ),
      ),
    ),
    source_conflict_strategy: z
      .optional(SourceConflictStrategy)
      .check(
        z.describe(
          "Whether a version that is installed and proven already is used again (`reuse`, the default) or fetched anew (`overwrite`)",
        ),
      ),
    /** The template of Python Ivy 1.1.0 spells it so, its schema does not; both mean the same. */
    source_conflict_behaviour: z.optional(SourceConflictStrategy),
    trusted_keys: z
      .optional(z.array(z.string().check(z.minLength(1))))
      .check(
        z.describe(
          "Public keys (minisign) of which one must have signed a release; without any, none needs to be signed",
        ),
      ),
    spread_seconds: z._default(
      wholeNumber(
        0,
        86_400,
        "A new version is fetched after a part of this time, each system after its own, so that a fleet does not come at once",
      ),
      300,
    ),
    maintenance_window: z
      .optional(MaintenanceWindowConfig)
      .check(z.describe("When a new version may be put in force; at any time without it")),
    trial_seconds: z._default(
      wholeNumber(30, 3_600, "How long a new version has to prove that it works, in seconds"),
      300,
    ),
    config_trial_seconds: z._default(
      wholeNumber(15, 3_600, "How long a new configuration has to prove that it works, in seconds"),
      60,
    ),
    allow_downgrade: z._default(
      z
        .boolean()
        .check(z.describe("Whether a configuration may name a version lower than the one that runs")),
      true,
    ),
    kept_versions: z._default(
      wholeNumber(1, 10, "Proven versions that are kept besides the one that runs"),
      1,
    ),
  })
  .check(
    z.refine(
      (updater) =>
        updater.source_conflict_strategy === undefined || updater.source_conflict_behaviour === undefined,
      {
        error: "is the old name of source_conflict_strategy: keep one of the two",
        path: ["source_conflict_behaviour"],
      },
    ),
    z.refine(({ provider, remote }) => provider === "git" || remote === undefined, {
      error: 'is for the provider "git" alone',
      path: ["remote"],
    }),
  );
export type UpdaterConfig = z.infer<typeof UpdaterConfig>;

/** Paths are relative to the folder `config` of the node: that of its root, or that of a checkout. */
export const TlsConfig = z.strictObject({
  ca_file: z.optional(text("Certificates (PEM) of the authorities to trust instead of the system's")),
  cert_file: z.optional(text("Certificate (PEM) of this client")),
  key_file: z.optional(text("Private key (PEM) of this client")),
});
export type TlsConfig = z.infer<typeof TlsConfig>;

export const MQTTBrokerConfig = z.strictObject({
  host: text("Host name or address of the broker"),
  port: wholeNumber(1, 65_535, "TCP port of the broker: 1883 in clear, 8883 with TLS, usually"),
  client_id: text("MQTT client identifier; unique at the broker"),
  username: z.optional(text("User name; leave out for a broker without")),
  password: z.optional(secret(text("Password; leave out for a broker without"))),
  tls: z.optional(TlsConfig).check(z.describe("Speak TLS; an empty object trusts the system's authorities")),
});
export type MQTTBrokerConfig = z.infer<typeof MQTTBrokerConfig>;

const topic = (name: string, description: string, placeholders?: readonly string[]) =>
  z._default(topicTemplate(description, placeholders), `ivy/{system_identifier}/${name}`);

/** Topics of the provider `mqtt`: templates with `{system_identifier}` and `{client_id}`; that of logs with `{level}` too. */
export const TopicsConfig = z
  .strictObject({
    data: topic("data", "Where data messages are published"),
    logs: topic("logs", "Where log messages are published", ["level"]),
    configuration_states: topic(
      "configuration_states",
      "Where it is published what becomes of a configuration",
    ),
    configuration: topic("configuration", "Where the server publishes the configuration, retained"),
  })
  .check(
    z.refine(({ configuration, ...published }) => !Object.values(published).includes(configuration), {
      error:
        "must not be a topic that this system publishes to: it would take its own messages for configurations",
      path: ["configuration"],
    }),
  );
export type TopicsConfig = z.infer<typeof TopicsConfig>;

export const BackendConfig = z
  .strictObject({
    provider: z.enum(["tenta", "thingsboard", "mqtt"]).check(z.describe("Kind of the server")),
    mqtt_connection: MQTTBrokerConfig,
    topics: z
      .optional(TopicsConfig)
      .check(z.describe("Where messages go and configurations come from; for the provider mqtt")),
    max_parallel_messages: z._default(
      wholeNumber(1, 10_000, "Most messages that are sent and not yet acknowledged"),
      50,
    ),
    max_backlog_rate: z._default(
      wholeNumber(
        1,
        100_000,
        "Most messages a second of what has waited while there was no connection; what is measured meanwhile goes first",
      ),
      500,
    ),
    max_drain_time: z._default(
      wholeNumber(0, 7_200, "Seconds that the backend may go on sending when the agent stops"),
      600,
    ),
  })
  .check(
    z.refine(({ provider, topics }) => provider === "mqtt" || topics === undefined, {
      error: 'is for the provider "mqtt" alone: with the others, the topics are those of the server',
      path: ["topics"],
    }),
  );
export type BackendConfig = z.infer<typeof BackendConfig>;

export const DummyProcedureConfig = z.strictObject({
  seconds_between_datapoints: wholeNumber(1, 7_200, "Seconds from one data point to the next"),
});
export type DummyProcedureConfig = z.infer<typeof DummyProcedureConfig>;

export const SystemChecksConfig = z.strictObject({
  seconds_between_checks: wholeNumber(1, 7_200, "Seconds from one check to the next"),
});
export type SystemChecksConfig = z.infer<typeof SystemChecksConfig>;

export const SupervisionConfig = z.strictObject({
  missed_intervals: z._default(
    wholeNumber(
      2,
      1_000,
      "A procedure whose loop does not come round for so many of its intervals is taken down and started again",
    ),
    5,
  ),
  shortest_patience: z._default(
    wholeNumber(1, 86_400, "But never before its next turn is overdue for this long, in seconds"),
    60,
  ),
  start_patience: z._default(
    wholeNumber(
      1,
      86_400,
      "How long a procedure may take to come to its loop, and then to measure for the first time, in seconds",
    ),
    600,
  ),
});
export type SupervisionConfig = z.infer<typeof SupervisionConfig>;

export const MetricsConfig = z.strictObject({
  listen: z
    .string()
    .check(
      z.regex(
        /^((127\.\d+\.\d+\.\d+|localhost|\[::1\]):\d{1,5}|unix:.+)$/,
        "must be a port of this machine like 127.0.0.1:9464, or a socket like unix:metrics.sock",
      ),
      z.describe(
        "Where metrics are served: a loopback address with a port, or unix: and the path of a socket, relative to the data folder",
      ),
    ),
});
export type MetricsConfig = z.infer<typeof MetricsConfig>;

/** The configuration of this version. Extend it with the sections of your own procedures: `z.extend(Config, {...})`. */
export const Config = z.strictObject({
  general: GeneralConfig,
  logging_verbosity: LoggingVerbosityConfig,
  updater: z
    .optional(z.nullable(UpdaterConfig))
    .check(z.describe("Without it no new version is ever fetched")),
  backend: z.optional(z.nullable(BackendConfig)).check(z.describe("Without it nothing is sent")),
  supervision: z
    .optional(SupervisionConfig)
    .check(
      z.describe("When a process that makes no progress is started again; with the defaults without it"),
    ),
  metrics: z
    .optional(z.nullable(MetricsConfig))
    .check(z.describe("Metrics for a monitoring system on this machine; not served without it")),
  dummy_procedure: DummyProcedureConfig,
  system_checks: SystemChecksConfig,
});
export type Config = z.infer<typeof Config>;
