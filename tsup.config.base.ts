import { defineConfig, type Options } from "tsup";

/** The JavaScript of a package; its declarations are written by `tsc -p tsconfig.build.json`. */
export function library(entry: Record<string, string>): Options | Options[] {
  return defineConfig({
    entry,
    format: "esm",
    target: "node24",
    platform: "node",
    clean: true,
    splitting: true,
    sourcemap: false,
    dts: false,
  }) as Options;
}
