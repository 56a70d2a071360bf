import { fileURLToPath } from "node:url";
import type { Options } from "tsup";

export const LAZY_CHILD_PROCESS = fileURLToPath(new URL("src/lazy-child-process.ts", import.meta.url));
const NOT_USED = fileURLToPath(new URL("src/not-used.ts", import.meta.url));

const OWN_IMPORT = /^import (?:([\w$]+)|\* as ([\w$]+)|\{([^}]*)\}) from "(node:[^"]+)";\n/gm;

/**
 * Gets Node's own modules without `import`, which reads each of their properties and so loads what lies behind them:
 * with `node:fs` the streams and the promises, with `node:process` the reports. That is 10 ms of every start.
 */
const OWN_MODULES: NonNullable<Options["plugins"]>[number] = {
  name: "own-modules",
  renderChunk(code) {
    const gotten: string[] = [];
    const rest = code.replace(OWN_IMPORT, (_, whole, all, names, module) => {
      const as = whole ?? all ?? `{${names.replaceAll(" as ", ": ")}}`;
      gotten.push(`const ${as} = process.getBuiltinModule("${module}");\n`);
      return "";
    });
    const left = /^import [^;]*"node:[^;]*/m.exec(rest)?.[0];
    if (left !== undefined) throw new Error(`This import is of a form that the build does not know: ${left}`);
    return { code: gotten.join("") + rest };
  },
};

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
  plugins: [OWN_MODULES],
  // Packages in CommonJS expect `require`.
  banner: {
    js: 'const require = process.getBuiltinModule("node:module").createRequire(import.meta.url);',
  },
};
