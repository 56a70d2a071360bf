// `npm run -s ivy -- COMMAND`: the agent's command line interface.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { environment, root, run } from "./toolchain.mjs";

const cli = join(root, "apps/node-agent/dist/cli.js");
if (!existsSync(cli)) {
  console.error("Ivy is not built yet: run `npm start` once, or `npm test`, which install and build it.");
  process.exit(1);
}
// npm and pnpm run this in the root, but files are named from where somebody stands.
const folder = environment.INIT_CWD ?? process.cwd();
process.exit(await run("node", [cli, ...process.argv.slice(2)], environment, "inherit", folder));
