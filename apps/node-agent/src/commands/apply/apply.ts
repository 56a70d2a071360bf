import { readFileSync } from "node:fs";
import { loadForeignConfigFromString, parseConfig } from "@ivy/types";
import { AgentConfig } from "../../agent-config.ts";
import { VERSION } from "../../constants.ts";
import { submitChange } from "../submit-change.ts";

export async function apply(file: string): Promise<void> {
  const config = loadForeignConfigFromString(readFileSync(file, "utf8"), file);
  if (config.general.software_version === VERSION) parseConfig(config, file, AgentConfig);
  await submitChange({ config });
}
