import { backendEntrypoint, type Entrypoint, procedureEntrypoint } from "@ivy/lifecycle";
import type { AgentConfig } from "./agent-config.ts";

/** A process that the agent keeps running. */
export interface AgentProcess {
  name: string;
  entrypoint: Entrypoint;
}

/** The files that `tsup.config.ts` makes of `src/processes/`. */
const file = (name: string) => new URL(`./${name}.js`, import.meta.url);

/**
 * The processes that a configuration asks for.
 *
 * @param safeMode - only what it takes to be reached from afar
 */
export function processesOf(config: AgentConfig, safeMode = false): AgentProcess[] {
  return [...(safeMode ? [] : procedures()), ...backendOf(config)];
}

function procedures(): AgentProcess[] {
  return [
    { name: "dummy-procedure", entrypoint: procedureEntrypoint(file("dummy-procedure")) },
    { name: "system-checks", entrypoint: procedureEntrypoint(file("system-checks")) },
    // Add your own procedures here, and their entry to tsup.config.ts.
  ];
}

function backendOf({ backend }: AgentConfig): AgentProcess[] {
  if (!backend) return [];
  const name = `${backend.provider}-backend`;
  return [{ name, entrypoint: backendEntrypoint(file(name)) }];
}
