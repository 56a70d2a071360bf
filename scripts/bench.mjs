// `npm run bench`: the benchmarks of every package, each beside its raw limit; `-- --json` prints one object a line.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { install, mustSucceed, root } from "./toolchain.mjs";

const BENCHMARK_FOLDERS = ["packages/messaging/bench"];

await install();
for (const folder of BENCHMARK_FOLDERS) {
  for (const file of readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".bench.ts"))
    .sort()) {
    await mustSucceed("node", ["--conditions=@ivy/source", join(folder, file), ...process.argv.slice(2)]);
  }
}
