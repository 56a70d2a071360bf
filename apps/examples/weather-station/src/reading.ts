import type { MessagingAgent } from "@ivy/messaging";
import * as z from "zod";

/** What a station has measured, and when. */
export const Reading = z.strictObject({
  station: z.string().regex(/^[a-z0-9-]+$/, "must be a name of the letters a-z, digits and hyphens"),
  measured_at: z.iso.datetime(),
  celsius: z.number().min(-90).max(60),
  hectopascal: z.number().min(850).max(1100).optional(),
});
export type Reading = z.infer<typeof Reading>;

/** Where readings are kept until the broker has them. */
export type Readings = MessagingAgent<Reading>;
