import type { Command } from "commander";
import { withExamples } from "./examples.ts";

/** `doctor`: looks for everything that can be wrong with a node. */
export function addDoctor(program: Command): void {
  withExamples(program.command("doctor"), [
    ["doctor", "what is wrong, and how to mend it"],
    ["doctor --all", "what is sound too"],
    ["doctor --json", "for a machine"],
  ])
    .description(
      "Look for what is wrong with the node, its machine and its server, and tell how to mend it; 15 seconds at most. " +
        "Exit code 0: nothing is wrong, 4: something is.",
    )
    .option("--all", "show what is sound as well")
    .option("--json", "print JSON, all of it")
    .action(async (options) => (await import("./doctor/print.ts")).printFindings(options));
}
