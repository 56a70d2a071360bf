import * as z from "zod/mini";
import { ForeignGeneralConfig } from "./foreign-config.ts";

/** What the system checks find. */
export const SystemState = z.looseObject({
  /** ISO 8601 with offset. */
  last_boot_time: z._default(z.nullable(z.string()), null),
  /** Average load of the last five minutes in percent of all processors. */
  last_5_min_load: z._default(z.nullable(z.number()), null),
});
export type SystemState = z.infer<typeof SystemState>;

/**
 * A configuration that has arrived and waits for the main loop. It may hold secrets, so the state names the file
 * (mode 0600, beside `config.json`) instead of holding it.
 */
export const PendingConfig = z.looseObject({
  general: ForeignGeneralConfig,
  /** SHA-256 of the configuration, independent of the order of its keys; hexadecimal. */
  digest: z.string(),
  /** Name of the file in the folder of the configuration. */
  file: z.string(),
});
export type PendingConfig = z.infer<typeof PendingConfig>;

/** What has become of a configuration that arrived; remembered so that its retained copy is not handled again. */
export const HandledConfig = z.looseObject({
  config_revision: z.int(),
  digest: z.string(),
  outcome: z.enum(["accepted", "rejected"]),
  reason: z.optional(z.string()),
});
export type HandledConfig = z.infer<typeof HandledConfig>;

/** What the processes of a node tell each other. Unknown keys are kept: other versions and procedures own them. */
export const State = z.looseObject({
  system: z._default(SystemState, { last_boot_time: null, last_5_min_load: null }),
  pending_configs: z._default(z.array(PendingConfig), []),
  handled_configs: z._default(z.array(HandledConfig), []),
});
export type State = z.infer<typeof State>;
