import * as z from "zod/mini";

const described = <Schema extends z.ZodMiniType>(schema: Schema, description: string): Schema =>
  schema.check(z.describe(description)) as Schema;
const seconds = (description: string) => described(z.number(), `${description}, in seconds`);
const perhaps = <Schema extends z.ZodMiniType>(schema: Schema) => z.nullable(schema);

const Main = z.strictObject({
  pid: z.int(),
  uptime_seconds: seconds("How long it has been running"),
  memory_bytes: described(perhaps(z.int()), "Its share of the memory (PSS); null if it cannot be seen"),
  answers: described(z.boolean(), "It has answered in time; what only it knows is null where it has not"),
  safe_mode: described(
    perhaps(z.boolean()),
    "It runs with as little as possible, for nothing else has worked",
  ),
});

const Process = z.strictObject({
  state: described(
    z.enum(["running", "pausing", "ended"]),
    "pausing: it has died and is started again after a pause",
  ),
  pid: perhaps(z.int()),
  uptime_seconds: perhaps(seconds("How long it has been running")),
  memory_bytes: described(
    perhaps(z.int()),
    "Share of the memory (PSS) of the process with this pid; procedures may have one in common",
  ),
  restarts: described(z.int(), "How often it has been started again since the agent was started"),
  last_turn_age_seconds: perhaps(
    seconds("How long ago its loop has last come round and worked: the age of its last data point"),
  ),
  interval_seconds: perhaps(seconds("Usual time from one turn of its loop to the next")),
  failures: described(z.int(), "How many turns in a row have failed"),
  crash_loop: described(z.boolean(), "It dies soon after its start, again and again"),
  last_error: described(perhaps(z.string()), "Why it has last died, or its last turn has failed; no secrets"),
});

const Queue = z.strictObject({
  messages: described(
    z.int(),
    "Messages that the server has not acknowledged; estimated where they are many",
  ),
  bytes: z.int(),
  oldest_age_seconds: perhaps(seconds("Age of the oldest of them")),
  dead: described(z.int(), "Messages that were set aside: no server will take them"),
  dropped: described(z.int(), "Messages that the limits have dropped unsent"),
});

const Link = z.strictObject({
  connected: described(perhaps(z.boolean()), "null if only the main process knows, and it does not answer"),
  since_seconds: perhaps(seconds("How long it has been so")),
  last_acknowledged_age_seconds: perhaps(seconds("How long ago the server has last acknowledged a message")),
});

const Change = z.strictObject({
  state: described(
    z.string(),
    "trial: what is new runs and has to prove itself; pending: about to begin; or the step",
  ),
  from: perhaps(z.string()),
  to: perhaps(z.string()),
  attempt: perhaps(z.int()),
  text: described(perhaps(z.string()), "What is being done, or what it waits for"),
});

/** What `status --json` prints. Keys are only ever added; `schema` counts up should one have to change. */
export const StatusReport = z.strictObject({
  schema: z.literal(1),
  state: described(z.enum(["well", "degraded", "stopped"]), "Exit codes: 0, 4, 3"),
  problems: described(z.array(z.string()), "Why it is not well, a sentence each"),
  time: described(z.string(), "When this was found out, by the clock of the node; ISO 8601"),
  version: z.string(),
  revision: described(perhaps(z.int()), "Of the configuration in force"),
  main: described(perhaps(Main), "The main process; null if it does not run"),
  processes: z.record(z.string(), Process),
  newest_message_age_seconds: perhaps(seconds("Age of the newest message, data as a rule")),
  queue: described(perhaps(Queue), "null if it cannot be read"),
  link: described(perhaps(Link), "The connection to the server; null if none is configured"),
  disk: z.strictObject({ free_bytes: z.int(), total_bytes: z.int(), free_inodes: z.int() }),
  clock: z.strictObject({
    synchronised: described(perhaps(z.boolean()), "With a time server since the last boot; null: unknown"),
  }),
  update: described(perhaps(Change), "A change of version or configuration under way"),
});
export type StatusReport = z.infer<typeof StatusReport>;

export function statusJsonSchema(): object {
  return z.toJSONSchema(StatusReport);
}
