import { Command } from "commander";
import { addApply } from "./commands/apply.ts";
import { addCommonExamples } from "./commands/common-examples.ts";
import { addCompletion } from "./commands/completion.ts";
import { addConfig } from "./commands/config.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addExport } from "./commands/export.ts";
import { addInfo } from "./commands/info.ts";
import { addKeygen } from "./commands/keygen.ts";
import { addLogs } from "./commands/logs.ts";
import { addMainloop } from "./commands/mainloop.ts";
import { addQueue } from "./commands/queue.ts";
import { addRun } from "./commands/run.ts";
import { addSetup } from "./commands/setup.ts";
import { addSignRelease } from "./commands/sign-release.ts";
import { addStatus } from "./commands/status.ts";
import { addSupport } from "./commands/support.ts";
import { addUpdate } from "./commands/update.ts";
import { NAME } from "./constants.ts";

const program = new Command(NAME)
  .description("Command line interface of the agent of a sensor node")
  .showHelpAfterError()
  .showSuggestionAfterError()
  // What stands behind a subcommand belongs to that.
  .enablePositionalOptions();

const COMMANDS = [
  addInfo,
  addMainloop,
  addStatus,
  addConfig,
  addLogs,
  addQueue,
  addExport,
  addRun,
  addDoctor,
  addSupport,
  addApply,
  addUpdate,
  addSetup,
  addKeygen,
  addSignRelease,
];
for (const add of COMMANDS) add(program);
addCommonExamples(program);
await addCompletion(program, process.argv[2]);

let failing: Promise<void> | undefined;
process.stdout.on("error", async (error: NodeJS.ErrnoException) => {
  // Whoever reads this has seen enough, as with `| head`.
  if (error.code !== "EPIPE") await fail(error);
  process.exit();
});

try {
  await program.parseAsync();
} catch (error) {
  await fail(error);
}

/** Says what has failed first: every further line that cannot be printed fails too. */
function fail(error: unknown): Promise<void> {
  failing ??= tell(error);
  return failing;
}

async function tell(error: unknown): Promise<void> {
  process.exitCode = 1;
  const { describeError } = await import("./commands/describe-error.ts");
  process.stderr.write(`${describeError(error)}\n`);
}
