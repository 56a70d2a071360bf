// `npm run soak`: the long proofs that nothing is lost, of what is built; `-- --scale=0.1` does a tenth of them.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { environment, install, mustSucceed, root, run } from "./toolchain.mjs";

await install();
await mustSucceed("turbo", ["run", "build", "--output-logs=errors-only", "--ui=stream"], environment);
const failed = [];
for (const file of soaks()) {
  console.log(file);
  if ((await run("node", [file, ...process.argv.slice(2)])) !== 0) failed.push(file);
}
console.log(failed.length === 0 ? "Everything held." : `Failed: ${failed.join(", ")}`);
process.exit(failed.length === 0 ? 0 : 1);

function soaks() {
  const folders = readdirSync(join(root, "packages")).map((name) => join("packages", name, "soak"));
  return folders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(folder, name)))
    .filter((file) => file.endsWith(".soak.ts"));
}
