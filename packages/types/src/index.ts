export {
  BackendConfig,
  Config,
  DummyProcedureConfig,
  GeneralConfig,
  LoggingVerbosityConfig,
  MAX_REVISION,
  MetricsConfig,
  MQTTBrokerConfig,
  SupervisionConfig,
  SystemChecksConfig,
  TlsConfig,
  TopicsConfig,
  UpdaterConfig,
} from "./config.ts";
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
export { ForeignConfig, ForeignGeneralConfig } from "./foreign-config.ts";
export { LOGGING_LEVEL_PRIORITIES, LogLevel } from "./log-level.ts";
export {
  ConfigMessageBody,
  DataMessageBody,
  LogMessageBody,
  type MessageArchiveItem,
  MessageBody,
  type MessageQueueItem,
} from "./messages.ts";
export { REDACTED, redact, secret, secretsOf } from "./secret.ts";
export {
  HandledConfig,
  PackageState,
  PendingConfig,
  PerformedCommand,
  ProcessState,
  State,
  SystemState,
} from "./state.ts";
export { Version } from "./version.ts";
