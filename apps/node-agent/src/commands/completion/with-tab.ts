import tab from "@bomb.sh/tab/commander";
import { configJsonSchema, describeKey, loadConfig } from "@ivy/types";
import type { Command } from "commander";
import { AgentConfig } from "../../agent-config.ts";
import { CONFIG_FILE } from "../../constants.ts";
import { processesOf } from "../../processes.ts";

/** Everything that the library for completion is used for. */
export function addWithTab(program: Command): void {
  const root = tab(program, { completionCommandName: "completion" });
  root.commands.get("config explain")?.argument("key", (complete) => {
    for (const key of allKeys()) complete(key, describeKey(AgentConfig, key).title);
  });
  root.commands.get("run")?.argument("procedure", (complete) => {
    for (const name of procedures()) complete(name, "a procedure");
  });
}

/** The keys of the configuration, those of sections and those in them. */
function allKeys(above = ""): string[] {
  const names =
    above === ""
      ? Object.keys(configJsonSchema(AgentConfig).properties ?? {})
      : describeKey(AgentConfig, above).keys;
  return (names ?? []).flatMap((name) => {
    const key = above === "" ? name : `${above}.${name}`;
    return [key, ...allKeys(key)];
  });
}

/** None where there is no sound configuration: then there is nothing to run. */
function procedures(): string[] {
  try {
    const processes = processesOf(loadConfig(CONFIG_FILE, AgentConfig));
    return processes.flatMap(({ name, entrypoint }) => (entrypoint.variant === "procedure" ? [name] : []));
  } catch {
    return [];
  }
}
