import { randomUUID } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { loadForeignConfigFromString } from "@ivy/types";
import { rootPaths, versionOfArchive } from "@ivy/updater";
import type { Command } from "commander";
import { CONFIG_FILE, GENERATION, NAME, ROOT_DIR } from "../constants.ts";
import { submitChange } from "./submit-change.ts";

export function addUpdate(program: Command): void {
  program
    .command("update")
    .argument("<archive>", "archive of a release (tar.gz), on a USB stick say; its signature lies beside it")
    .option("--config <file>", "configuration for that version; the one in force if left out")
    .description(
      "Put the version in force that an archive holds: it is unpacked, installed and tested beside the one that runs, tried, and taken back if it does not prove itself.",
    )
    .addHelpText("after", "\nExample:\n  ivy-cli.sh update /media/usb/ivy-4.5.6.tar.gz")
    .action(update);
}

async function update(
  archive: string,
  { config: configFile = CONFIG_FILE }: { config?: string },
): Promise<void> {
  if (GENERATION === undefined)
    throw new Error("Only a node that was set up with scripts/setup-node.sh can change its version");
  const config = loadForeignConfigFromString(readFileSync(configFile, "utf8"), configFile);
  const software_version = await versionOfArchive(archive);
  await submitChange({
    config: { ...config, general: { ...config.general, software_version } },
    archive: keepCopy(archive, rootPaths(ROOT_DIR, NAME).inbox),
  });
}

/** A stick may be pulled out at any time. */
function keepCopy(archive: string, inbox: string): string {
  const folder = join(inbox, randomUUID());
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const copy = join(folder, basename(archive));
  for (const suffix of ["", ".json", ".json.minisig", ".minisig"]) {
    if (existsSync(archive + suffix)) copyFileSync(archive + suffix, copy + suffix);
  }
  return copy;
}
