import type { Options } from "tsup";

/** The JavaScript of a package; its declarations are written by `tsc -p tsconfig.build.json`. */
export function library(entry: Record<string, string>): Options {
  return {
    entry,
    format: "esm",
    target: "node24",
    platform: "node",
    clean: true,
    splitting: true,
    dts: false,
    // Some modules of Node exist with it only: node:sqlite.
    removeNodeProtocol: false,
  };
}
