import type { Command } from "commander";
import { NAME } from "../constants.ts";

/** Adds examples to the help of a command: command lines without the program's name, and what each is for. */
export function withExamples(
  command: Command,
  examples: readonly (readonly [line: string, purpose: string])[],
): Command {
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, purpose]) => `  ${NAME} ${line.padEnd(width)}  # ${purpose}`);
  return command.addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
}
