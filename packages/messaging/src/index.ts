export { type Durability, usualDurability } from "./durability.ts";
export type { Period } from "./log/reader.ts";
export {
  type AddOptions,
  type DeadLetter,
  MessagingAgent,
  type MessagingAgentOptions,
  type QueueStatistics,
} from "./messaging-agent.ts";
export type { Consumer, Settlement } from "./queue/consumer.ts";
export type { StoreLimits } from "./queue/limits.ts";
export { readNewestTime, readStatistics, type StoreStatistics } from "./statistics.ts";
export {
  InvalidArgumentError,
  InvalidMessageError,
  QueueUnavailableError,
  StoreWriteError,
  TornDownError,
} from "./store-error.ts";
