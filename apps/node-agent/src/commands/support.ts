import type { Command } from "commander";
import { withExamples } from "./examples.ts";

/** `support`: everything that somebody who helps from afar wants to see. */
export function addSupport(program: Command): void {
  withExamples(program.command("support"), [
    ["support", "an archive in this folder"],
    ["support --output /media/stick/node-7.tar.gz", "on a stick"],
  ])
    .description(
      "Write an archive for whoever helps from afar: versions, status, doctor, configuration, state, queue, last logs. " +
        "Passwords, tokens and keys are struck out, measurements are not in it.",
    )
    .option("--output <file>", "where to write it")
    .option("--json", "print JSON")
    .action(async (options) => (await import("./support/write-archive.ts")).writeArchive(options));
}
