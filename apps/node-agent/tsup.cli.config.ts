import { defineConfig } from "tsup";
import { COMMON, replaced } from "./tsup.common.ts";

/**
 * Built after the processes and by itself, for memory is short on a node. The CLI is in parts: a command loads what it
 * needs, and `info` starts as fast as Node.
 */
export default defineConfig({
  ...COMMON,
  entry: { cli: "src/cli.ts" },
  splitting: true,
  esbuildPlugins: [
    ...(COMMON.esbuildPlugins ?? []),
    // Commander can start programs as its commands; none of ours is one, and loading what it needs takes a while.
    replaced(/^node:child_process$/, "commander", "lazy-child-process.ts"),
  ],
});
