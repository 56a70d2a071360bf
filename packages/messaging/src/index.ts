export type { DeadLetter } from "./active-queue.ts";
export type { Consumer, Settlement } from "./consumer.ts";
export { type Durability, usualDurability } from "./durability.ts";
export {
  type AddOptions,
  MessagingAgent,
  type MessagingAgentOptions,
  type QueueStatistics,
} from "./messaging-agent.ts";
export { InvalidMessageError, StoreWriteError } from "./store-error.ts";
