import { backendEntrypoint, type Entrypoint, procedureEntrypoint } from "@ivy/lifecycle";
import type { AgentConfig } from "./agent-config.ts";

/** A process that the agent keeps running. */
export interface AgentProcess {
  name: string;
  entrypoint: Entrypoint;
}

/** The files that `tsup.config.ts` makes of `src/processes/`. */
const file = (name: string) => new URL(`./${name}.js`, import.meta.url);

/** The processes that a configuration asks for. */
export function processesOf(config: AgentConfig): AgentProcess[] {
  const processes: AgentProcess[] = [
    { name: "dummy-procedure", entrypoint: procedureEntrypoint(file("dummy-procedure")) },
    { name: "system-checks", entrypoint: procedureEntrypoint(file("system-checks")) },
    // Add your own procedures here, and their entry to tsup.config.ts.
  ];
  if (config.backend) {
    const name = `${config.backend.provider}-backend`;
    processes.push({ name, entrypoint: backendEntrypoint(file(name)) });
  }
  return processes;
}
