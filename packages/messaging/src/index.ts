export type { Consumer, Settlement } from "./consumer.ts";
export { type Durability, usualDurability } from "./durability.ts";
export type { StoreLimits } from "./limits.ts";
export {
  type AddOptions,
  type DeadLetter,
  MessagingAgent,
  type MessagingAgentOptions,
  type QueueStatistics,
} from "./messaging-agent.ts";
export { InvalidMessageError, StoreWriteError } from "./store-error.ts";
