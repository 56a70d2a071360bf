// `npm run bench`: the benchmarks, each beside its raw limit, as a table; `-- --json` prints one object a line.
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { environment, install, mustSucceed, root } from "./toolchain.mjs";

const asJson = process.argv.includes("--json");
const files = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));

// Standard output is for the results alone.
const STDERR = 2;
await install(STDERR);
await mustSucceed("turbo", ["run", "build", "--output-logs=errors-only", "--ui=stream"], environment, STDERR);
const figures = [];
for (const file of files.length > 0 ? files : benchmarks()) {
  for await (const figure of run(file)) {
    if (asJson) console.log(JSON.stringify(figure));
    figures.push(figure);
  }
}
if (!asJson) console.table(Object.fromEntries(figures.map(({ name, ...figure }) => [name, figure])));

function benchmarks() {
  const packages = ["packages", "apps"].flatMap((group) =>
    readdirSync(join(root, group)).map((name) => join(group, name, "bench")),
  );
  return packages
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(folder, name)))
    .filter((file) => file.endsWith(".bench.ts"));
}

/** The figures of one benchmark, as they come. */
async function* run(file) {
  if (!asJson) console.error(file);
  const child = spawn("node", ["--conditions=@ivy/source", file], {
    cwd: root,
    env: environment,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  for await (const line of createInterface(child.stdout)) yield JSON.parse(line);
  const code = await ended;
  if (code !== 0) throw new Error(`${file} has ended with exit code ${code}`);
}
