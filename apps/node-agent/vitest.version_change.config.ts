import { suite } from "@ivy/tooling/vitest";
import { defineConfig, mergeConfig } from "vitest/config";

const config = mergeConfig(
  suite("version_change"),
  defineConfig({
    test: {
      // This suite runs on nodes with little memory: in one process, and Node itself loads the sources.
      pool: "threads",
      maxWorkers: 1,
      isolate: false,
      execArgv: ["--conditions=@ivy/source"],
      experimental: { viteModuleRunner: false },
    },
  }),
);

// On a node the version may be sealed already: then nothing in its tree may change.
if (process.env["IVY_CONFIG_FILE"] !== undefined)
  Object.assign(config.test, { reporters: ["default"], cache: false });

export default config;
