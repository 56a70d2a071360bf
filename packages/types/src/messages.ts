import * as z from "zod/mini";
import { LogLevel } from "./log-level.ts";

const RESERVED_KEYS = ["logging", "configuration"];

/** The body of a data message: what a procedure measured. */
export const DataMessageBody = z.strictObject({
  variant: z.literal("data"),
  data: z.record(z.string().check(z.minLength(1)), z.union([z.number(), z.string()])).check(
    z.refine((data) => Object.keys(data).length > 0, "must hold at least one value"),
    z.refine((data) => !RESERVED_KEYS.some((key) => key in data), {
      error: `the keys ${RESERVED_KEYS.join(" and ")} are reserved: logs and configuration states travel under them`,
    }),
  ),
});
export type DataMessageBody = z.infer<typeof DataMessageBody>;

/** The body of a log message. Specific details belong into `body`, so that messages can be grouped by `subject`. */
export const LogMessageBody = z.strictObject({
  variant: z.literal("log"),
  level: LogLevel,
  subject: z.string(),
  body: z.string(),
});
export type LogMessageBody = z.infer<typeof LogMessageBody>;

/**
 * The body of a configuration message.
 *
 * - `received`: a configuration has arrived
 * - `accepted`: it is in force
 * - `rejected`: it will never be in force; `reason` tells why
 * - `startup`: a main loop has been started with it
 *
 * `config` is redacted: messages are kept in clear on disk and sent.
 */
export const ConfigMessageBody = z.strictObject({
  variant: z.literal("config"),
  status: z.enum(["received", "accepted", "rejected", "startup"]),
  config: z.looseObject({ general: z.looseObject({ config_revision: z.int() }) }),
  reason: z.optional(z.string()),
});
export type ConfigMessageBody = z.infer<typeof ConfigMessageBody>;

/** What can be sent to a server. */
export const MessageBody = z.discriminatedUnion("variant", [
  DataMessageBody,
  LogMessageBody,
  ConfigMessageBody,
]);
export type MessageBody = z.infer<typeof MessageBody>;

/** A message as the archive keeps it. */
export interface MessageArchiveItem<Body = MessageBody> {
  /** Unix time in seconds at which the message was added: for data, the time of the measurement. */
  timestamp: number;
  /** Revision of the configuration that was in force then; absent while there has been none. */
  revision?: number;
  message_body: Body;
}

/** A message in the active queue: not yet acknowledged by the server. */
export interface MessageQueueItem<Body = MessageBody> extends MessageArchiveItem<Body> {
  /** Position of the message in the log: unique, never used again, rising in the order of the log. */
  identifier: number;
}
