import { fileURLToPath } from "node:url";
import type { Options } from "tsup";

export const LAZY_CHILD_PROCESS = fileURLToPath(new URL("src/lazy-child-process.ts", import.meta.url));
const NOT_USED = fileURLToPath(new URL("src/not-used.ts", import.meta.url));

/** What all programs of the agent have in common. */
export const COMMON: Options = {
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
