import { fileURLToPath } from "node:url";
import type { Options } from "tsup";

type Plugin = NonNullable<Options["esbuildPlugins"]>[number];

const fileOf = (standIn: string) => fileURLToPath(new URL(`src/stand-ins/${standIn}`, import.meta.url));

/** Where one library asks for a module, it gets a stand-in. */
export function replaced(module: RegExp, library: string, standIn: string): Plugin {
  return {
    name: standIn,
    setup: ({ onResolve }) =>
      onResolve({ filter: module }, ({ importer }) =>
        importer.includes(`/${library}/`) ? { path: fileOf(standIn) } : undefined,
      ),
  };
}

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
  // What libraries bring for browsers, proxies, threads, debugging and old versions of Node would be loaded at every
  // start, and held in memory by every process.
  esbuildOptions: (options) => {
    options.conditions = ["@ivy/source"];
    options.alias = {
      "readable-stream": "node:stream",
      "thread-stream": fileOf("not-used.cjs"),
      "worker-timers": fileOf("not-used.cjs"),
      debug: fileOf("no-debug.cjs"),
      ws: fileOf("not-used.cjs"),
    };
  },
  esbuildPlugins: [
    replaced(/^\.\/socks$/, "mqtt", "not-used.cjs"),
    replaced(/^tls$/, "mqtt", "lazy-tls.ts"),
    replaced(/^worker_threads$/, "pino", "main-thread.cjs"),
    replaced(/^assert$/, "signal-exit", "assert.cjs"),
    replaced(/^assert$/, "sonic-boom", "assert.cjs"),
  ],
  plugins: [OWN_MODULES],
  // Packages in CommonJS expect `require`.
  banner: {
    js: 'const require = process.getBuiltinModule("node:module").createRequire(import.meta.url);',
  },
};
