import { configJsonSchema } from "@ivy/types";
import { AgentConfig } from "../../agent-config.ts";
import { sayJson } from "../say.ts";

export function printSchema(): void {
  sayJson(configJsonSchema(AgentConfig));
}
