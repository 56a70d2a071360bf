// What the steps of an update take on a node: this code base twice, with a cold and then with a warm store of packages.

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { printFigure } from "@ivy/tooling/bench";
import { rootPaths, versionFolder } from "../src/root/paths.ts";
import { installDependencies } from "../src/steps/install.ts";
import { pnpmOf } from "../src/steps/pnpm.ts";
import { buildVersion, runVersionChangeTests } from "../src/steps/version-steps.ts";
import { sampled, type Usage } from "./sampled.ts";

const REPOSITORY = resolve(import.meta.dirname, "../../..");
const MEGABYTE = 1e6;

/** No step may take more memory: a node has 512 MB, and measures meanwhile. */
const MOST_MEMORY = 300 * MEGABYTE;
/** What a tree is written from is on the disk already, or comes over the network. */
const MOST_WRITTEN = { cold: 1_300 * MEGABYTE, warm: 700 * MEGABYTE, other: 50 * MEGABYTE };

/** By this the processes of this benchmark are known. */
const RUN = `steps.bench:${process.pid}`;
const ENTRY = `IVY_RUN=${RUN}`;

const paths = rootPaths(mkdtempSync(join(tmpdir(), "ivy-steps-")));
try {
  await measure("cold");
  await measure("warm");
} finally {
  rmSync(paths.root, { recursive: true, force: true });
}

async function measure(store: "cold" | "warm"): Promise<void> {
  const folder = versionFolder(paths, store);
  const names = execFileSync("git", ["ls-files", "-z"], { cwd: REPOSITORY, encoding: "utf8" }).split("\0");
  for (const name of names.filter((name) => name !== "" && existsSync(join(REPOSITORY, name)))) {
    cpSync(join(REPOSITORY, name), join(folder, name));
  }
  const signal = new AbortController().signal;
  const options = {
    folder,
    pnpm: pnpmOf(REPOSITORY),
    env: { ...process.env, IVY_RUN: RUN },
    secrets: [],
    signal,
    paths,
  };
  const configFile = join(folder, "config/config.template.json");
  print(
    `install, ${store} store`,
    MOST_WRITTEN[store],
    await sampled(ENTRY, () => installDependencies(options)),
  );
  print(`build, ${store} store`, MOST_WRITTEN.other, await sampled(ENTRY, () => buildVersion(options)));
  const test = () => runVersionChangeTests({ ...options, configFile });
  print(`version_change, ${store} store`, MOST_WRITTEN.other, await sampled(ENTRY, test));
}

function print(name: string, mostWritten: number, { peakBytes, writtenBytes, seconds }: Usage): void {
  const goal = { atMost: MOST_MEMORY / MEGABYTE };
  printFigure({ name: `${name}: memory`, value: peakBytes / MEGABYTE, unit: "MB", goal });
  const written = { atMost: mostWritten / MEGABYTE };
  printFigure({ name: `${name}: written`, value: writtenBytes / MEGABYTE, unit: "MB", goal: written });
  printFigure({ name: `${name}: time`, value: seconds, unit: "s", goal: { atMost: 600 } });
}
