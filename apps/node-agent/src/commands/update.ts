import type { Command } from "commander";

export function addUpdate(program: Command): void {
  program
    .command("update")
    .argument("<archive>", "archive of a release (tar.gz), on a USB stick say; its signature lies beside it")
    .option("--config <file>", "configuration for that version; the one in force if left out")
    .description(
      "Put the version in force that an archive holds: it is unpacked, installed and tested beside the one that runs, tried, and taken back if it does not prove itself.",
    )
    .addHelpText("after", "\nExample:\n  ivy-cli.sh update /media/usb/ivy-4.5.6.tar.gz")
    .action(async (archive: string, options) =>
      (await import("./update/update.ts")).update(archive, options),
    );
}
