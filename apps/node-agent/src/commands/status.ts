import type { Command } from "commander";

/** `status`: one screen, also of an agent that is dead or hangs; changes nothing. */
export function addStatus(program: Command): void {
  program
    .command("status")
    .description(
      "Tell how the node fares: processes, queue, link, disk, clock, update. Exit code 0: well, 3: stopped, 4: degraded.",
    )
    .option("--json", "print JSON, as --json-schema describes it")
    .option("--json-schema", "print the JSON Schema of what --json prints")
    .action(async (options) => (await import("./status/print.ts")).printStatus(options));
}
