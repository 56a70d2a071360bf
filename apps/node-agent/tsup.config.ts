import { defineConfig } from "tsup";
import { COMMON } from "./tsup.common.ts";

/**
 * Every process of the agent is one file of its own: it starts faster and holds only what it uses. Built from the
 * sources of the packages, so that what a process does not use is left out of its file.
 */
export default defineConfig({
  ...COMMON,
  entry: {
    dev: "src/dev.ts",
    run: "src/run.ts",
    "dummy-procedure": "src/processes/dummy-procedure.ts",
    "system-checks": "src/processes/system-checks.ts",
    procedures: "src/processes/procedures.ts",
    "mqtt-backend": "src/processes/mqtt-backend.ts",
    "tenta-backend": "src/processes/tenta-backend.ts",
    "thingsboard-backend": "src/processes/thingsboard-backend.ts",
    "prepare-version": "src/processes/prepare-version.ts",
    "probe-broker": "src/processes/probe-broker.ts",
  },
  splitting: false,
});
