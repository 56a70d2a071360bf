import { library } from "@ivy/tooling/tsup";
import { defineConfig } from "tsup";

/**
 * What a process that adds messages needs of its dependencies is built in: a tenth of the start and of the memory that
 * loading them as wholes would take.
 */
export default defineConfig({
  ...library({
    index: "src/index.ts",
    forwarder: "src/forwarder.ts",
    statistics: "src/statistics.ts",
    testing: "src/testing.ts",
  }),
  noExternal: ["@ivy/files", "@ivy/types", /^zod/],
  esbuildOptions: (options) => {
    options.conditions = ["@ivy/source"];
  },
});
