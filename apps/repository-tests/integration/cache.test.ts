import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { succeed } from "./support/commands.ts";
import { copyStructure } from "./support/structure.ts";

const TASKS = ["build", "lint", "types", "test", "test:integration", "version_change"];

const structure = copyStructure();
afterAll(() => structure[Symbol.dispose]());

function append(file: string, text: string): void {
  const path = join(structure.folder, file);
  mkdirSync(dirname(path), { recursive: true });
  appendFileSync(path, text);
}

/** Under which hash turbo would look for the result of each task. */
async function hashes(): Promise<Map<string, string>> {
  const plan = await succeed(structure.folder, "turbo", "run", ...TASKS, "--dry=json");
  const { tasks } = JSON.parse(plan) as {
    tasks: { taskId: string; hash: string; command: string }[];
  };
  const real = tasks.filter(({ command }) => command !== "<NONEXISTENT>");
  return new Map(real.map(({ taskId, hash }) => [taskId, hash]));
}

let known: Map<string, string>;
beforeAll(async () => {
  known = await hashes();
});

/** The tasks that a change would have run again. */
async function runAgainAfter(change: () => void): Promise<string[]> {
  change();
  const now = await hashes();
  const again = [...now].filter(([task, hash]) => known.get(task) !== hash).map(([task]) => task);
  known = now;
  return again;
}

/** Every task that has to do with a package. */
const all = (name: string) => expect.arrayContaining([`${name}#build`, `${name}#types`, `${name}#test`]);

describe("the cache", () => {
  it("knows everything again where nothing has changed", async () => {
    expect(await runAgainAfter(() => undefined)).toEqual([]);
  });

  it("builds, checks and tests all that lies above a source file, and nothing below or beside", async () => {
    const again = await runAgainAfter(() => append("packages/state/src/index.ts", "export {};\n"));
    for (const name of ["state", "lifecycle", "procedures", "updater", "backends"])
      expect(again).toEqual(all(`@ivy/${name}`));
    expect(again).toEqual(
      expect.arrayContaining([
        "@ivy/backends#test:integration",
        "@ivy/node-agent#build",
        "@ivy/node-agent#test:integration",
        "@ivy/node-agent#version_change",
        "@ivy/repository-tests#test:integration",
      ]),
    );
    expect(
      again.filter((task) => /^@ivy\/(files|types|logger|messaging)#|weather-station/.test(task)),
    ).toEqual([]);
    expect(again.filter((task) => task.endsWith("#lint"))).toEqual(["@ivy/state#lint"]);
  });

  it("runs tests again whose own code has changed, and those of no other package", async () => {
    const again = await runAgainAfter(() => append("packages/types/test/some.test.ts", "export {};\n"));
    expect(again.sort()).toEqual(["@ivy/types#lint", "@ivy/types#test", "@ivy/types#types"]);
  });

  it("builds and tests everything again after a change of how that is done", async () => {
    const again = await runAgainAfter(() => append("packages/tooling/src/vitest.ts", "export {};\n"));
    for (const name of ["files", "types", "messaging", "backends"])
      expect(again).toEqual(all(`@ivy/${name}`));
    expect(again).toContain("@ivy/node-agent#build");
  });

  it.each([
    ["README.md", ["@ivy/node-agent#test:integration"]],
    [
      "packages/files/README.md",
      ["@ivy/node-agent#test:integration", "@ivy/repository-tests#test:integration"],
    ],
    ["config/config.template.json", ["@ivy/types#test", "@ivy/node-agent#version_change"]],
    ["config/config.json", ["@ivy/node-agent#version_change"]],
    ["biome.json", ["@ivy/types#lint", "@ivy/node-agent#lint"]],
    ["tsconfig.base.json", ["@ivy/files#build", "@ivy/files#types", "@ivy/files#test"]],
    ["apps/examples/weather-station/src/main.ts", ["@ivy/repository-tests#test:integration"]],
  ])("runs again what reads %s outside its own package", async (file, tasks) => {
    expect(await runAgainAfter(() => append(file, "\n"))).toEqual(expect.arrayContaining(tasks));
  });

  it("runs again what reads the version of the project", async () => {
    const change = () => {
      const manifest = { name: "ivy", version: "9.9.9", packageManager: "pnpm@12.21.0" };
      writeFileSync(join(structure.folder, "package.json"), JSON.stringify(manifest));
    };
    expect(await runAgainAfter(change)).toEqual(
      expect.arrayContaining(["@ivy/node-agent#test:integration", "@ivy/node-agent#version_change"]),
    );
  });
});
