import { defineConfig, type ViteUserConfig } from "vitest/config";

/** Settings of one suite of a package: `test` (units, no outside program) or `test:integration` (real processes). */
export function suite(name: "test" | "test:integration" | "version_change" = "test"): ViteUserConfig {
  const folder = { test: "test", "test:integration": "integration", version_change: "version_change" }[name];
  return defineConfig({
    ssr: { resolve: { conditions: ["@ivy/source"], externalConditions: ["@ivy/source"] } },
    resolve: { conditions: ["@ivy/source"] },
    test: {
      include: [`${folder}/**/*.test.ts`],
      passWithNoTests: false,
      testTimeout: name === "test" ? 20_000 : 60_000,
      hookTimeout: 60_000,
      reporters: ["default", ["json", { outputFile: `.reports/${name.replace(":", "-")}.json` }]],
    },
  });
}
