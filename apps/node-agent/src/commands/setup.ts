import { type Command, Option } from "commander";
import { NAME } from "../constants.ts";
import type { SetUpAnswers } from "./setup-answers.ts";
import type { StartAtBoot } from "./setup-boot.ts";

export interface SetUpCommand extends SetUpAnswers {
  root: string;
  registry?: string;
  startAtBoot?: StartAtBoot;
  unitDir?: string;
  yes?: boolean;
}

/** `setup`: what `scripts/setup-node.sh` goes on with once this version is installed. */
export function addSetup(program: Command): void {
  program
    .command("setup")
    .description(
      "Make this version what a root runs; called by scripts/setup-node.sh, which says what the options mean.",
    )
    .requiredOption("--root <folder>", `root of the node, below which this version of ${NAME} is installed`)
    .option("--registry <url>", "package registry that later versions are installed from")
    .addOption(new Option("--start-at-boot <how>").choices(["systemd", "cron", "none"]))
    .option("--unit-dir <folder>", "where the systemd unit is written")
    .option("--yes", "ask nothing")
    .option("--config <file>", "a whole configuration instead of the following")
    .option("--system-identifier <id>")
    .addOption(new Option("--backend <kind>").choices(["tenta", "thingsboard", "mqtt", "none"]))
    .option("--host <host>")
    .option("--port <port>")
    .addOption(new Option("--tls <yes|no>").choices(["yes", "no"]))
    .option("--client-id <id>")
    .option("--username <name>")
    .option("--password-file <file>")
    .addOption(new Option("--update-from <kind>").choices(["github", "gitlab", "git", "none"]))
    .option("--update-host <host>")
    .option("--repository <name>")
    .option("--access-token-file <file>")
    .action(async (options: SetUpCommand) => {
      // Loaded only here: no other command asks anything.
      const { setUp } = await import("./setup-root.ts");
      await setUp(options);
    });
}
