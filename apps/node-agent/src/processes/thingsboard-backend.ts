import { run } from "@ivy/backends/thingsboard";
import { runBackend } from "@ivy/lifecycle/child";
import type { Config } from "@ivy/types";
import { installPackageOn } from "../install-package.ts";

await runBackend<Config>((config, name, teardownIndicator, node) =>
  run(config, name, teardownIndicator, { ...node, installPackage: installPackageOn(node) }),
);
