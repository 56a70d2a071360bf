import { Config } from "@ivy/types";

/**
 * The configuration of this agent. A procedure of your own brings its section along:
 * `export const AgentConfig = z.extend(Config, { my_sensor: z.strictObject({ ... }) })`. Tell of its keys with `about`,
 * and write the schema for editors anew: `pnpm --filter @ivy/node-agent run schema`.
 */
export const AgentConfig = Config;
export type AgentConfig = Config;
