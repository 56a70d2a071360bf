import { defineConfig } from "tsup";
import { COMMON, LAZY_CHILD_PROCESS } from "./tsup.common.ts";

/**
 * Built after the processes and by itself, for memory is short on a node. The CLI is in parts: a command loads what it
 * needs, and `info` starts as fast as Node.
 */
export default defineConfig({
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
});
