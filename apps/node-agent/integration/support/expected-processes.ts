import type { AgentConfig } from "../../src/agent-config.ts";
import { hostsOf, processesOf } from "../../src/processes.ts";
import type { AnyConfig } from "./deployed-node.ts";

/** Names of the processes that an agent has with a configuration, sorted: of whatever procedures it has. */
export function expectedProcesses(config: AnyConfig): string[] {
  const sound = config as unknown as AgentConfig;
  return ["run", ...hostsOf(sound, processesOf(sound)).map(({ name }) => name)].sort();
}
