import { ConfigError, loadConfig } from "@ivy/types";
import { AgentConfig } from "../../agent-config.ts";
import { CONFIG_FILE } from "../../constants.ts";
import { describeError } from "../describe-error.ts";
import { say, sayJson } from "../say.ts";

export interface JsonOption {
  json?: boolean;
}

export function checkConfig(file = CONFIG_FILE, { json }: JsonOption): void {
  const error = errorIn(file);
  if (error !== undefined) process.exitCode = 1;
  if (json) sayJson({ file, sound: error === undefined, problems: error?.problems ?? [] });
  else if (error === undefined) say(`${file} is sound`);
  else process.stderr.write(`${describeError(error)}\n`);
}

function errorIn(file: string): ConfigError | undefined {
  try {
    loadConfig(file, AgentConfig);
    return undefined;
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}
