import { isCode } from "@ivy/files";
import { Command } from "commander";
import { addApply } from "./commands/apply.ts";
import { addCommonExamples } from "./commands/common-examples.ts";
import { addCompletion } from "./commands/completion.ts";
import { addConfig } from "./commands/config.ts";
import { describeError } from "./commands/describe-error.ts";
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

process.stdout.on("error", (error) => {
  // Whoever reads this has seen enough, as with `| head`.
  if (!isCode(error, "EPIPE")) fail(error);
  process.exit();
});

try {
  await program.parseAsync();
} catch (error) {
  fail(error);
}

function fail(error: unknown): void {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = 1;
}
