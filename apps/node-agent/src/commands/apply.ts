import { readFileSync } from "node:fs";
import { loadForeignConfigFromString, parseConfig } from "@ivy/types";
import type { Command } from "commander";
import { AgentConfig } from "../agent-config.ts";
import { VERSION } from "../constants.ts";
import { submitChange } from "./submit-change.ts";

export function addApply(program: Command): void {
  program
    .command("apply")
    .argument("<config>", "file of the configuration")
    .description(
      "Put a configuration in force, as if the server had sent it: it is checked, tried, and taken back if it does not prove itself. It may keep the revision in force.",
    )
    .addHelpText("after", "\nExample:\n  ivy-cli.sh apply /media/usb/config.json")
    .action(apply);
}

async function apply(file: string): Promise<void> {
  const config = loadForeignConfigFromString(readFileSync(file, "utf8"), file);
  if (config.general.software_version === VERSION) parseConfig(config, file, AgentConfig);
  await submitChange({ config });
}
