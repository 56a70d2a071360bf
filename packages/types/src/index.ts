export { LOGGING_LEVEL_PRIORITIES, LogLevel } from "./log-level.ts";
export {
  ConfigMessageBody,
  DataMessageBody,
  LogMessageBody,
  type MessageArchiveItem,
  MessageBody,
  type MessageQueueItem,
} from "./messages.ts";
