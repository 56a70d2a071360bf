import type { ViteUserConfig } from "vitest/config";

/**
 * The suites of a package.
 *
 * - `test`: units; nothing but the package and files in temporary folders
 * - `integration`: real processes, signals and brokers
 * - `version_change`: what must hold on a node before it switches to this version
 */
export type Suite = "test" | "integration" | "version_change";

/** Settings of one suite of a package; its tests lie in the folder of the same name. */
export function suite(name: Suite): ViteUserConfig {
  return {
    // The sources of sibling packages, so that no test waits for a build.
    resolve: { conditions: ["@ivy/source"] },
    ssr: { resolve: { conditions: ["@ivy/source"], externalConditions: ["@ivy/source"] } },
    test: {
      include: [`${name}/**/*.test.ts`],
      testTimeout: name === "test" ? 20_000 : 60_000,
      hookTimeout: 60_000,
      reporters: ["default", ["json", { outputFile: `.reports/${name}.json` }]],
    },
  };
}
