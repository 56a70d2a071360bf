import type { Command } from "commander";

/**
 * For a command that does something without any of its subcommands: a word that is none of them was meant for one, so the
 * nearest one is named. Commander itself takes it for an argument too many.
 *
 * To be called when the command has its subcommands, for those made later inherit this.
 */
export function onlySubcommands(group: Command): void {
  group.allowExcessArguments().hook("preAction", (_, performed) => {
    if (performed === group && group.args.length > 0) refuse(group);
  });
}

/** As commander does it of its own accord where a command does nothing without a subcommand. */
function refuse(group: Command): void {
  (group as Command & { unknownCommand(): never }).unknownCommand();
}
