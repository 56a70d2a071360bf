import tab from "@bomb.sh/tab/commander";
import type { Variant } from "@ivy/lifecycle";
import { configJsonSchema, describeKey, loadConfig } from "@ivy/types";
import type { Command } from "commander";
import { AgentConfig } from "../../agent-config.ts";
import { CONFIG_FILE, NAME } from "../../constants.ts";
import { processesOf } from "../../processes.ts";
import { say } from "../say.ts";
import { completeFileNames } from "./file-names.ts";

/** Everything that the library for completion is used for. */
export function addWithTab(program: Command): void {
  const root = tab(program, { completionCommandName: "completion" });
  root.commands.get("config explain")?.argument("key", (complete) => {
    for (const key of allKeys()) complete(key, describeKey(AgentConfig, key).title);
  });
  root.commands.get("run")?.argument("procedure", (complete) => {
    for (const name of processes("procedure")) complete(name, "a procedure");
  });
  const origin = root.commands.get("logs")?.options.get("origin");
  if (origin !== undefined) {
    origin.handler = (complete) => {
      for (const name of ["main", ...processes()]) complete(name, "a process");
    };
  }
  completeFileNames(program, root);
  program.hook("postAction", (_, { args: [shell] }) => {
    // The script of the library forbids the usual completion, of file names, where it is not wanted; where it is, bash has
    // to be told that there is such a thing.
    if (shell === "bash") say(`complete -o default -F __${NAME}_complete ${NAME}`);
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
function processes(variant?: Variant): string[] {
  try {
    return processesOf(loadConfig(CONFIG_FILE, AgentConfig)).flatMap(({ name, entrypoint }) =>
      variant === undefined || entrypoint.variant === variant ? [name] : [],
    );
  } catch {
    return [];
  }
}
