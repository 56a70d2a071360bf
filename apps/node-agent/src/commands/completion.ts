import { Argument, type Command } from "commander";
import { NAME } from "../constants.ts";
import { withExamples } from "./examples.ts";

/** What a shell asks with, and what prints the script that makes it ask. */
const COMMANDS = ["complete", "completion"];

/**
 * `completion`: commands, options and keys of the configuration are completed in a shell.
 *
 * @param first - the command that is given: the library is loaded for those of its own only
 */
export async function addCompletion(program: Command, first: string | undefined): Promise<void> {
  if (first !== undefined && COMMANDS.includes(first)) {
    (await import("./completion/with-tab.ts")).addWithTab(program);
    return;
  }
  withExamples(program.command("completion"), [
    ["completion bash >> ~/.bashrc", `where ${NAME} is in the PATH`],
    ["completion zsh > ~/.zsh/completions/_ivy", "for zsh, with that folder in fpath"],
  ])
    .description("Print what makes a shell complete commands, options and keys of the configuration.")
    .addArgument(new Argument("<shell>", "the shell").choices(["zsh", "bash", "fish", "powershell"]));
}
