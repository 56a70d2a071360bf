import type { Command } from "commander";

const EXAMPLE = `
Example:
  $ ivy keygen --output ~/keys/ivy
  writes ~/keys/ivy.key, which signs releases and belongs on no node, and ~/keys/ivy.pub.

The files are those of minisign; the secret key has no password, so keep it where only you can read it.`;

export function addKeygen(program: Command): void {
  program
    .command("keygen")
    .description("Make a pair of keys to sign releases with.")
    .option(
      "--output <name>",
      "where to write NAME.key and NAME.pub; nothing is ever written over",
      "ivy-release",
    )
    .addHelpText("after", EXAMPLE)
    .action(async (options) => (await import("./keygen/keygen.ts")).keygen(options));
}
