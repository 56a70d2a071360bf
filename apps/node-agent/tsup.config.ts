import { defineConfig } from "tsup";

/**
 * Every process of the agent is one file of its own: it starts faster and holds only what it uses. Built from the
 * sources of the packages, so that what a process does not use is left out of its file.
 */
export default defineConfig({
  entry: {
    cli: "src/cli.ts",
    dev: "src/dev.ts",
    run: "src/run.ts",
    "dummy-procedure": "src/processes/dummy-procedure.ts",
    "system-checks": "src/processes/system-checks.ts",
    "mqtt-backend": "src/processes/mqtt-backend.ts",
    "tenta-backend": "src/processes/tenta-backend.ts",
    "thingsboard-backend": "src/processes/thingsboard-backend.ts",
  },
  format: "esm",
  target: "node24",
  platform: "node",
  clean: true,
  splitting: false,
  // Some modules of Node exist with it only: node:sqlite.
  removeNodeProtocol: false,
  noExternal: [/.*/],
  // Brings a native module along, which must stay where its package is.
  external: ["better-sqlite3"],
  esbuildOptions: (options) => {
    options.conditions = ["@ivy/source"];
  },
  // Packages in CommonJS expect `require`.
  banner: {
    js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);',
  },
});
