import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";

const ROOT = resolve(import.meta.dirname, "../../..");
const run = promisify(execFile);

/** The samples of a README: a block of TypeScript, and what it prints. */
function samples(readme: string): { code: string; output: string }[] {
  const blocks = readme.matchAll(/```ts\n(.*?)```\n\n```text\n(.*?)```/gs);
  return [...blocks].map(([, code = "", output = ""]) => ({ code, output }));
}

/** A folder inside a package, where its own name and those of its dependencies can be imported. */
function workshop(folder: string): string {
  const workshop = join(folder, ".reports", `readme-${Math.random().toString(36).slice(2)}`);
  mkdirSync(workshop, { recursive: true });
  onTestFinished(() => rmSync(workshop, { recursive: true, force: true }));
  return workshop;
}

/** Loads a configuration with the schema beside it, and shows a section of it. */
const LOAD = `import { loadConfig, redact } from "@ivy/types";
import { AgentConfig } from "./agent-config.ts";

console.log(JSON.stringify(redact(loadConfig("config.json", AgentConfig), AgentConfig).greenhouse));
`;

describe("the README of", () => {
  const packages = readdirSync(join(ROOT, "packages")).filter((name) => name !== "tooling");
  it.each(packages)("%s has a sample that prints what it says", async (name) => {
    const folder = join(ROOT, "packages", name);
    const found = samples(readFileSync(join(folder, "README.md"), "utf8"));
    expect(found.length).toBeGreaterThan(0);
    for (const { code, output } of found) {
      const cwd = workshop(folder);
      writeFileSync(join(cwd, "sample.ts"), code);
      const env = { ...process.env, TZ: "UTC" };
      const { stdout } = await run(process.execPath, ["--conditions=@ivy/source", "sample.ts"], { cwd, env });
      expect(stdout).toBe(output);
    }
  });

  it("the project has a procedure of at most 15 lines that compiles", async () => {
    const readme = readFileSync(join(ROOT, "README.md"), "utf8");
    const [, code = ""] = /```ts\n(.*?)```/s.exec(readme) ?? [];
    expect(code).toContain("runProcedure");
    expect(code.trim().split("\n").length).toBeLessThanOrEqual(15);
    const folder = workshop(join(ROOT, "apps/node-agent"));
    writeFileSync(join(folder, "greenhouse.ts"), code);
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ extends: "../../tsconfig.json", include: ["*.ts"] }),
    );
    await run(join(ROOT, "node_modules/.bin/tsc"), ["-p", folder]);
  });

  it("the project has a procedure with settings that compile, and are accepted and struck out as it says", async () => {
    const readme = readFileSync(join(ROOT, "README.md"), "utf8");
    const [, schema = "", procedure = ""] = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code);
    const [, section = ""] = /```json\n(.*?)```/s.exec(readme) ?? [];
    const template = JSON.parse(readFileSync(join(ROOT, "config/config.template.json"), "utf8"));
    const folder = workshop(join(ROOT, "apps/node-agent"));
    mkdirSync(join(folder, "processes"));
    writeFileSync(join(folder, "agent-config.ts"), schema);
    writeFileSync(join(folder, "processes/greenhouse.ts"), procedure);
    writeFileSync(join(folder, "config.json"), JSON.stringify({ ...template, ...JSON.parse(section) }));
    writeFileSync(join(folder, "load.ts"), LOAD);
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ extends: "../../tsconfig.json", include: ["**/*.ts"] }),
    );
    await run(join(ROOT, "node_modules/.bin/tsc"), ["-p", folder]);
    const { stdout } = await run(process.execPath, ["--conditions=@ivy/source", "load.ts"], { cwd: folder });
    expect(JSON.parse(stdout)).toEqual({ seconds_between_readings: 60, api_key: "[redacted]" });
  });
});
