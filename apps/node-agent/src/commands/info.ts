import type { Command } from "commander";
import { DATA_DIR, PROJECT_DIR, VERSION } from "../constants.ts";
import { say } from "./say.ts";

export function addInfo(program: Command): void {
  program
    .command("info")
    .description("Print which version this is, and where its code and its data lie.")
    .action(() => {
      say(`CLI version: ${VERSION}`);
      say(`Node.js: ${process.version}, ${process.execPath}`);
      say(`Source code: ${PROJECT_DIR}`);
      say(`Data: ${DATA_DIR}`);
    });
}
