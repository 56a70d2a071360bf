import type { AgentConfig } from "../../agent-config.ts";
import { processesOf } from "../../processes.ts";

/** What it means to put a changed key in force. */
export interface Effect {
  /** The agent takes over a configuration as a whole, so a change restarts all of its processes or none. */
  restarts: "nothing" | "agent" | "software";
  /** Processes that use the key. */
  concerns: string[];
}

const MAIN = "main";

/** @param after - the configuration with the change */
export function effectOf(key: string, after: AgentConfig): Effect {
  const [section = "", name] = key.split(".");
  if (section === "$schema") return { restarts: "nothing", concerns: [] };
  const isVersion = section === "general" && (name === "software_version" || name === "software_commit");
  return { restarts: isVersion ? "software" : "agent", concerns: concernedBy(section, after) };
}

function concernedBy(section: string, after: AgentConfig): string[] {
  const names = processesOf(after).map((process) => process.name);
  if (["updater", "supervision", "metrics"].includes(section)) return [MAIN];
  if (section === "backend") return [MAIN, ...names.filter((name) => name.endsWith("-backend"))];
  const own = section.replaceAll("_", "-");
  return names.includes(own) ? [own] : [MAIN, ...names];
}
