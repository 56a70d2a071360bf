import { type Command, InvalidArgumentError } from "commander";
import { withExamples } from "./examples.ts";

const USUAL_TIMEOUT_SECONDS = 60;

/** `run PROCEDURE --once`. */
export function addRun(program: Command): void {
  withExamples(program.command("run"), [
    ["run dummy-procedure --once", "what the procedure measures now"],
    ["run system-checks --once --json", "for a machine"],
  ])
    .description(
      "Perform one turn of one procedure and print its messages and what it changes in the state. " +
        "Neither the queue nor the server nor the state of the node is touched; the agent may be running meanwhile.",
    )
    .argument("<procedure>", "its name: dummy-procedure, system-checks, ...")
    .requiredOption("--once", "one turn; in a loop the agent runs it")
    .option("--timeout <seconds>", "how long to wait for it", parseSeconds, USUAL_TIMEOUT_SECONDS)
    .option("--json", "print JSON")
    .action(async (name: string, options) => (await import("./run/run-once.ts")).runOnce(name, options));
}

function parseSeconds(text: string): number {
  if (Number(text) > 0) return Number(text);
  throw new InvalidArgumentError("Write seconds, more than 0.");
}
