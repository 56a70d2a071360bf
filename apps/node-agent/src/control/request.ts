import { LogLevel } from "@ivy/types";
import * as z from "zod/mini";

/** What the command line may ask of a running main process. */
export const ControlRequest = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("status") }),
  z.strictObject({
    kind: z.literal("log-level"),
    sink: z.enum(["file_archive", "console_prints", "message_sending"]),
    level: z.nullable(LogLevel),
  }),
]);
export type ControlRequest = z.infer<typeof ControlRequest>;

/** The answer where there is nothing to tell: that it is done, or what went wrong. */
export const ControlAnswer = z.object({ error: z.optional(z.string()) });
export type ControlAnswer = z.infer<typeof ControlAnswer>;
