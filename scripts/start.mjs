// `npm start`: install, build, and run the agent in the foreground against a broker of its own on loopback.
import { install, mustSucceed, run } from "./toolchain.mjs";

await install();
await mustSucceed("turbo", ["run", "build", "--output-logs=errors-only", "--ui=stream"]);
process.exit(await run("node", ["apps/node-agent/dist/dev.js"]));
