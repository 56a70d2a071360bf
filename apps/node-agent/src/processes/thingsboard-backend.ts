import { run, type ThingsBoardNode } from "@ivy/backends/thingsboard";
import { runBackend } from "@ivy/lifecycle/child";
import type { Config } from "@ivy/types";
import { installPackage } from "../install-package.ts";

await runBackend<Config>((config, name, teardownIndicator, node) => {
  const withInstaller: ThingsBoardNode = { ...node, installPackage };
  return run(config, name, teardownIndicator, withInstaller);
});
