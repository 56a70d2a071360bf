import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { ROOT, run } from "./support/commands.ts";

const MODULES = resolve(import.meta.dirname, "../node_modules");

const TESTS = {
  some: `
    it("does not hold", () => { throw new Error("one is two"); });
    it("holds", () => {});
    it.skip("needs a broker", () => {});`,
  unloadable: 'import "./nowhere.ts";',
  hook: 'describe("with a hook", () => { beforeAll(() => { throw new Error("hook"); }); it("comes behind", () => {}); });',
};

/** A repository of which two packages have run these tests. */
async function withReports(...packages: Record<string, string>[]): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), "ivy-report-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [index, tests] of packages.entries()) {
    const folder = join(root, "packages", `package-${index}`);
    mkdirSync(folder, { recursive: true });
    symlinkSync(MODULES, join(folder, "node_modules"));
    for (const [name, code] of Object.entries(tests))
      writeFileSync(
        join(folder, `${name}.test.ts`),
        `import { beforeAll, describe, it } from "vitest";\n${code}\n`,
      );
    const args = ["--reporter=json", "--outputFile=.reports/test.json", `--root=${folder}`];
    await run(folder, join(MODULES, ".bin/vitest"), "run", ...args);
  }
  return root;
}

/** The report, as `npm test` prints it. */
async function report(root: string): Promise<{ text: string; failed: number }> {
  const { report } = await import(join(ROOT, "scripts/report.mjs"));
  return report(root);
}

it("What failed stands at the end of `npm test`: tests, files that cannot be loaded, hooks", async () => {
  const { text, failed } = await report(
    await withReports(TESTS, { holds: 'it("holds as well", () => {});' }),
  );
  expect(failed).toBe(3);
  expect(text).toMatch(/^Failed: packages\/package-0\/some\.test\.ts: does not hold\nError: one is two$/m);
  expect(text).toMatch(/^Failed: packages\/package-0\/unloadable\.test\.ts\n.*nowhere\.ts/m);
  expect(text).toMatch(/^Failed: packages\/package-0\/hook\.test\.ts\nA hook has failed/m);
  expect(text).toMatch(/^Left out \(2\):$/m);
  expect(text).toMatch(/^ {2}needs a broker$/m);
  expect(text.split("\n").at(-1)).toBe("2 passed, 3 failed, 2 skipped");
});

it("Where all is well, `npm test` says so", async () => {
  const { text, failed } = await report(await withReports({ holds: 'it("holds", () => {});' }));
  expect([text, failed]).toEqual(["\nNothing was left out.\n1 passed, 0 failed, 0 skipped", 0]);
});
