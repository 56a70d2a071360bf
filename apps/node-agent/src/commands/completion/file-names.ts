import { type RootCommand, ShellCompDirective } from "@bomb.sh/tab";
import type { Command } from "commander";

/** Arguments that name a file. */
const ARGUMENTS = new Set(["file", "after", "config", "archive"]);

/** The flags of an option that does. */
const FLAGS = /<(?:file|folder)>/;

/** Has the shell complete the names of files, as it usually does, where a command takes one. */
export function completeFileNames(program: Command, root: RootCommand): void {
  const { ShellCompDirectiveDefault: asUsual, ShellCompDirectiveNoFileComp: noFiles } = ShellCompDirective;
  let wanted = false;
  const want = () => {
    wanted = true;
  };
  // The library wants file names nowhere, whatever its handlers do.
  Object.defineProperty(root, "directive", { get: () => (wanted ? asUsual : noFiles), set: () => undefined });
  for (const [words, completed] of root.commands) {
    for (const argument of completed.arguments.values()) {
      if (ARGUMENTS.has(argument.name)) argument.handler = want;
    }
    for (const { flags, long } of commandOf(program, words)?.options ?? []) {
      const option = completed.options.get(long?.slice(2) ?? "");
      if (option !== undefined && FLAGS.test(flags)) option.handler = want;
    }
  }
}

/** @param words - like `config check` */
function commandOf(program: Command, words: string): Command | undefined {
  return words
    .split(" ")
    .reduce<Command | undefined>(
      (above, word) => above?.commands.find((command) => command.name() === word),
      program,
    );
}
