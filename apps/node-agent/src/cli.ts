import { Command } from "commander";
import { addInfo } from "./commands/info.ts";
import { addMainloop } from "./commands/mainloop.ts";
import { addStatus } from "./commands/status.ts";
import { NAME } from "./constants.ts";

const program = new Command(NAME)
  .description("Command line interface of the agent of a sensor node")
  .showHelpAfterError()
  .showSuggestionAfterError();

for (const add of [addInfo, addMainloop, addStatus]) add(program);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
