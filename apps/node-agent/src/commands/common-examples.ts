import type { Command } from "commander";
import { withExamples } from "./examples.ts";

/** Examples of commands that need few words. */
const EXAMPLES: Record<string, readonly (readonly [line: string, purpose: string])[]> = {
  info: [["info", "versions and folders"]],
  start: [["start", "returns once the main loop is up"]],
  stop: [["stop", "once what waits has been sent, or max_drain_time is over"]],
  restart: [["restart", "after the configuration was edited"]],
  "is-running": [["is-running || echo down", "in a script"]],
  status: [
    ["status", "one screen"],
    ["status --json | jq .problems", "for a machine"],
  ],
};

export function addCommonExamples(program: Command): void {
  for (const command of program.commands) {
    const examples = EXAMPLES[command.name()];
    if (examples !== undefined) withExamples(command, examples);
  }
}
