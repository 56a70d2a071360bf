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
  /** Given by somebody at the node, not by the server: it may keep the revision in force. */
  local: z.optional(z.boolean()),
  /** It asks for a version that a server has assigned: it waits for its turn and the window, as what else comes from there. */
  assigned: z.optional(z.boolean()),
  /** Path of an archive that holds its version of the software. */
  archive: z.optional(z.string()),
});
export type PendingConfig = z.infer<typeof PendingConfig>;

/** What has become of a configuration that arrived; remembered so that its retained copy is not handled again. */
export const HandledConfig = z.looseObject({
  config_revision: z.int(),
  digest: z.string(),
  outcome: z.enum(["accepted", "rejected"]),
  reason: z.optional(z.string()),
  /** Present while the server is not told yet: file of the configuration, and the time of the decision (ISO 8601). */
  untold: z.optional(z.looseObject({ file: z.string(), since: z.string() })),
});
export type HandledConfig = z.infer<typeof HandledConfig>;

/** How a process of the agent fares, as the main process sees it. */
export const ProcessState = z.looseObject({
  /** `pausing`: it has died, and is started again after a pause. */
  state: z.enum(["running", "pausing", "ended"]),
  /** How often it has been started again since it was started. */
  restarts: z.int(),
  /** While it runs. */
  pid: z.optional(z.int()),
  /** It dies soon after its start, again and again. */
  crash_loop: z.optional(z.boolean()),
  /** Why it has last ended by itself; without secrets. */
  last_error: z.optional(z.string()),
});
export type ProcessState = z.infer<typeof ProcessState>;

/** A command from a server whose effect outlives the process that took it: it must not be performed twice. */
export const PerformedCommand = z.looseObject({
  /** The server's number for it. It may be used again for another command, after a long time. */
  id: z.int(),
  /** The server has acknowledged the answer. */
  answered: z.boolean(),
  /** Unix time in seconds. */
  at: z.number(),
});
export type PerformedCommand = z.infer<typeof PerformedCommand>;

/** How far a software package is that a server has assigned to the node. */
export const PackageState = z.looseObject({
  /** SHA-256 of what the server says about the package; hexadecimal. */
  target: z.string(),
  state: z.enum(["DOWNLOADING", "DOWNLOADED", "VERIFIED", "UPDATING", "UPDATED", "FAILED"]),
  /** Why it has failed: `CODE: text`. */
  error: z.optional(z.string()),
  /** It is handed over: whoever took it knows how far it is. */
  taken: z.optional(z.boolean()),
  /** The server knows. */
  reported: z.boolean(),
});
export type PackageState = z.infer<typeof PackageState>;

/** How far a change of configuration or version is. */
export const ChangeState = z.looseObject({
  revision: z.int(),
  version: z.string(),
  /** What is being done: `wait`, `check`, `fetch`, `verify`, `unpack`, `install`, `build`, `test`, `seal`, `switch`. */
  step: z.string(),
  text: z.string(),
  /** ISO 8601, in UTC: when the step began. */
  since: z.string(),
});
export type ChangeState = z.infer<typeof ChangeState>;

/**
 * What the processes of a node tell each other. Unknown keys are kept: other versions and procedures own them. Of what
 * can be found out again, a form that this version does not know is no reason to give up the rest.
 */
export const State = z.looseObject({
  system: z._default(SystemState, { last_boot_time: null, last_5_min_load: null }),
  pending_configs: z._default(z.array(PendingConfig), []),
  handled_configs: z._default(z.array(HandledConfig), []),
  /** The processes of the agent, by their names. */
  processes: z.catch(z.optional(z.record(z.string(), ProcessState)), undefined),
  performed_commands: z.catch(z.optional(z.array(PerformedCommand)), undefined),
  /** The change under way. */
  update: z.catch(z.optional(ChangeState), undefined),
  /** Assigned packages, by their kind at the server. */
  packages: z.catch(z.optional(z.record(z.string(), PackageState)), undefined),
});
export type State = z.infer<typeof State>;
