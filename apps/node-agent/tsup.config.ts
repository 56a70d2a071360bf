import { fileURLToPath } from "node:url";
import { defineConfig, type Options } from "tsup";

const LAZY_CHILD_PROCESS = fileURLToPath(new URL("src/lazy-child-process.ts", import.meta.url));
const NOT_USED = fileURLToPath(new URL("src/not-used.ts", import.meta.url));

const COMMON: Options = {
  format: "esm",
  target: "node24",
  platform: "node",
  // Some modules of Node exist with it only: node:sqlite.
  removeNodeProtocol: false,
  noExternal: [/.*/],
  // Brings a native module along, which must stay where its package is.
  external: ["better-sqlite3"],
  esbuildOptions: (options) => {
    options.conditions = ["@ivy/source"];
    // What MQTT.js brings for browsers, proxies and old versions of Node would be held in memory by every backend.
    options.alias = {
      "readable-stream": "node:stream",
      "worker-timers": NOT_USED,
      socks: NOT_USED,
      ws: NOT_USED,
    };
  },
  // Packages in CommonJS expect `require`.
  banner: {
    js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);',
  },
};

/**
 * Every process of the agent is one file of its own: it starts faster and holds only what it uses. Built from the
 * sources of the packages, so that what a process does not use is left out of its file.
 */
const processes: Options = {
  ...COMMON,
  entry: {
    dev: "src/dev.ts",
    run: "src/run.ts",
    "dummy-procedure": "src/processes/dummy-procedure.ts",
    "system-checks": "src/processes/system-checks.ts",
    "mqtt-backend": "src/processes/mqtt-backend.ts",
    "tenta-backend": "src/processes/tenta-backend.ts",
    "thingsboard-backend": "src/processes/thingsboard-backend.ts",
    "prepare-version": "src/processes/prepare-version.ts",
    "probe-broker": "src/processes/probe-broker.ts",
  },
  splitting: false,
};

/** The CLI is in parts: a command loads what it needs, and `info` starts as fast as Node. */
const cli: Options = {
  ...COMMON,
  entry: { cli: "src/cli.ts" },
  splitting: true,
  esbuildPlugins: [
    {
      name: "lazy-child-process",
      setup: ({ onResolve }) => {
        // Commander can start programs as its commands; none of ours is one, and loading what it needs takes a while.
        onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
          importer.includes("/commander/") ? { path: LAZY_CHILD_PROCESS } : undefined,
        );
      },
    },
  ],
};

export default defineConfig([processes, cli]);
