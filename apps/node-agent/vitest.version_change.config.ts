import { suite } from "@ivy/tooling/vitest";
import { defineConfig, mergeConfig } from "vitest/config";

/** This suite runs on nodes with little memory: one process, one worker in it. */
export default mergeConfig(
  suite("version_change"),
  defineConfig({ test: { pool: "threads", maxWorkers: 1, isolate: false } }),
);
