import { Config } from "@ivy/types";

/**
 * The configuration of this agent. A procedure of your own brings its section along:
 * `export const AgentConfig = z.extend(Config, { my_sensor: z.strictObject({ ... }) })`.
 */
export const AgentConfig = Config;
export type AgentConfig = Config;
