import { backendEntrypoint, type Entrypoint, procedureEntrypoint } from "@ivy/lifecycle";
import type { AgentConfig } from "./agent-config.ts";

/** What the agent keeps running: a procedure or a backend. */
export interface AgentProcess {
  name: string;
  entrypoint: Entrypoint;
}

/** A process of the system. */
export interface HostProcess extends AgentProcess {
  /** Names of what runs in it. */
  members: string[];
}

/** The files that `tsup.config.ts` makes of `src/processes/`. */
const file = (name: string) => new URL(`./${name}.js`, import.meta.url);

/**
 * What a configuration asks for.
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

/** The procedures that can share a process; what each of them runs is in `src/processes/sharing.ts`. */
export const SHARING = ["dummy-procedure", "system-checks"] as const;

/**
 * The processes of the system that these are run in: one each, or a common one for the procedures that can share one. A
 * procedure that cannot is alone then too, and takes nobody along.
 */
export function hostsOf({ supervision }: AgentConfig, processes: readonly AgentProcess[]): HostProcess[] {
  const alone = processes.map((process) => ({ ...process, members: [process.name] }));
  const shares = ({ name }: AgentProcess) => SHARING.some((one) => one === name);
  const members = alone.filter(shares).map(({ name }) => name);
  if (!supervision?.share_process || members.length === 0) return alone;
  const shared = { name: "procedures", entrypoint: procedureEntrypoint(file("procedures")), members };
  return [shared, ...alone.filter((process) => !shares(process))];
}

function backendOf({ backend }: AgentConfig): AgentProcess[] {
  if (!backend) return [];
  const name = `${backend.provider}-backend`;
  return [{ name, entrypoint: backendEntrypoint(file(name)) }];
}
