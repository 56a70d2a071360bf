import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { ROOT, run } from "./support/commands.ts";
import { copyStructure } from "./support/structure.ts";

const structure = copyStructure();
const { folder } = structure;
afterAll(() => structure[Symbol.dispose]());

/** Puts a file with some code into the copy of the repository, for the time of the test. */
function write(file: string, code: string): string {
  const path = join(folder, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, code);
  onTestFinished(() => rmSync(path));
  return path;
}

/** Has a package of the copy name another one as a dependency, for the time of the test. */
function declare(folderOfPackage: string, dependency: string): void {
  const path = join(folder, folderOfPackage, "package.json");
  const before = readFileSync(path, "utf8");
  const manifest = JSON.parse(before);
  manifest.dependencies = { ...manifest.dependencies, [dependency]: "workspace:^" };
  writeFileSync(path, JSON.stringify(manifest));
  onTestFinished(() => writeFileSync(path, before));
}

const boundaries = () => run(folder, "turbo", "boundaries", "--no-color");

describe("turbo boundaries", () => {
  it("finds nothing where the rule is kept", async () => {
    write("packages/messaging/src/code.ts", 'import { State } from "@ivy/types";\nconsole.log(State);\n');
    expect(await boundaries()).toMatchObject({ code: 0 });
  });

  it.each([
    ["a package above", "packages/types/src", 'import { MessagingAgent } from "@ivy/messaging";'],
    ["a type of a package above", "packages/types/src", 'import type { Consumer } from "@ivy/messaging";'],
    ["a package above, in a test", "packages/messaging/test", 'import { brokerOf } from "@ivy/backends";'],
    ["a package above, when it is needed", "packages/messaging/src", 'await import("@ivy/backends");'],
    ["a package above, to pass it on", "packages/messaging/src", 'export * from "@ivy/backends";'],
    ["a package that is not declared", "packages/procedures/src", 'import { Updater } from "@ivy/updater";'],
    [
      "somebody else's package that is not declared",
      "packages/files/src",
      'import { Command } from "commander";',
    ],
    ["an application", "packages/messaging/src", 'import "@ivy/node-agent";'],
    ["a file of an application", "packages/backends/src", 'import "../../../apps/node-agent/src/main.ts";'],
    ["a file of another package", "packages/backends/src", 'import "../../messaging/src/record.ts";'],
  ])("refuses an import of %s", async (_, where, code) => {
    write(join(where, "code.ts"), `${code}\n`);
    const { code: exitCode, output } = await boundaries();
    expect(exitCode).toBe(1);
    expect(output).toContain("1 issue found");
    expect(output).toMatch(/because it is not a dependency|leaves the package/);
  });

  it.each([
    ["packages/types", "@ivy/messaging"],
    ["packages/messaging", "@ivy/state"],
    ["packages/messaging", "@ivy/backends"],
    ["packages/updater", "@ivy/procedures"],
    ["packages/backends", "@ivy/procedures"],
    ["packages/backends", "@ivy/node-agent"],
    ["apps/node-agent", "weather-station"],
  ])("does not let %s declare %s as a dependency", async (where, dependency) => {
    declare(where, dependency);
    const { code, output } = await boundaries();
    expect(code).toBe(1);
    expect(output.replaceAll(/\s*\n\s*\|\s*/g, " ")).toContain(
      `Package \`${dependency}\` found without any tag listed in allowlist for`,
    );
  });
});

describe("biome", () => {
  it.each([
    ["reaches into another package", 'import "@ivy/messaging/src/record.ts";', "noRestrictedImports"],
    ["needs in production what is there for tests only", 'import "vitest";', "noUndeclaredDependencies"],
    ["is imported by what it imports", 'import "./other.ts";', "noImportCycles"],
  ])("refuses code that %s", async (_, code, rule) => {
    write("packages/backends/src/other.ts", 'import "./code.ts";\n');
    const path = write("packages/backends/src/code.ts", `${code}\n`);
    const { code: exitCode, output } = await run(dirname(path), "biome", "lint", path);
    expect(exitCode).toBe(1);
    expect(output).toContain(rule);
  });
});

it("every package has a layer: one without could import everything", () => {
  const { boundaries } = JSON.parse(readFileSync(join(ROOT, "turbo.json"), "utf8"));
  const layers = Object.keys(boundaries.tags);
  for (const group of ["packages", "apps", "apps/examples"]) {
    for (const name of readdirSync(join(ROOT, group))) {
      if (!existsSync(join(ROOT, group, name, "package.json"))) continue;
      const { tags } = JSON.parse(readFileSync(join(ROOT, group, name, "turbo.json"), "utf8"));
      expect(tags, `${group}/${name}/turbo.json`).toHaveLength(1);
      expect(layers).toContain(tags[0]);
    }
  }
});
