export { type About, about } from "./about.ts";
export { BackendConfig, MQTTBrokerConfig, TlsConfig, TopicsConfig } from "./backend-config.ts";
export {
  Config,
  DummyProcedureConfig,
  LoggingVerbosityConfig,
  MetricsConfig,
  SupervisionConfig,
  SystemChecksConfig,
} from "./config.ts";
export { type Change as ConfigChange, compareConfigs } from "./config-changes.ts";
export { configDigest } from "./config-digest.ts";
export { ConfigError, type ConfigProblem } from "./config-error.ts";
export {
  dumpConfig,
  loadConfig,
  loadConfigFromString,
  loadForeignConfigFromString,
  parseConfig,
  toForeignConfig,
} from "./config-file.ts";
export { configJsonSchema, describeKey, type KeyDescription, UnknownKeyError } from "./config-schema.ts";
export { ForeignConfig, ForeignGeneralConfig } from "./foreign-config.ts";
export { GeneralConfig, MAX_REVISION } from "./general-config.ts";
export { LOGGING_LEVEL_PRIORITIES, LogLevel } from "./log-level.ts";
export {
  ConfigMessageBody,
  DataMessageBody,
  LogMessageBody,
  type MessageArchiveItem,
  MessageBody,
  type MessageQueueItem,
} from "./messages.ts";
export { REDACTED, redact, redactText, secret, secretsOf, spellingsOf } from "./secret.ts";
export {
  ChangeState,
  HandledConfig,
  PackageState,
  PendingConfig,
  PerformedCommand,
  ProcessState,
  State,
  SystemState,
} from "./state.ts";
export { MaintenanceWindowConfig, UpdaterConfig } from "./updater-config.ts";
export { Version } from "./version.ts";
