import type { Command } from "commander";

export function addApply(program: Command): void {
  program
    .command("apply")
    .argument("<config>", "file of the configuration")
    .description(
      "Put a configuration in force, as if the server had sent it: it is checked, tried, and taken back if it does not prove itself. It may keep the revision in force.",
    )
    .addHelpText("after", "\nExample:\n  ivy-cli.sh apply /media/usb/config.json")
    .action(async (file: string) => (await import("./apply/apply.ts")).apply(file));
}
