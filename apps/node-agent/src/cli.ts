import { Command } from "commander";
import { addApply } from "./commands/apply.ts";
import { addInfo } from "./commands/info.ts";
import { addKeygen } from "./commands/keygen.ts";
import { addMainloop } from "./commands/mainloop.ts";
import { addSetup } from "./commands/setup.ts";
import { addSignRelease } from "./commands/sign-release.ts";
import { addUpdate } from "./commands/update.ts";
import { NAME } from "./constants.ts";

const program = new Command(NAME)
  .description("Command line interface of the agent of a sensor node")
  .showHelpAfterError()
  .showSuggestionAfterError();

for (const add of [addInfo, addMainloop, addSetup, addApply, addUpdate, addKeygen, addSignRelease])
  add(program);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
