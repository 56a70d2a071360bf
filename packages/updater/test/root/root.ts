import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { createGeneration } from "../../src/root/generation.ts";
import { type RootPaths, rootPaths, versionFolder } from "../../src/root/paths.ts";
import { sealVersion } from "../../src/root/seal.ts";

/** An empty root with its launcher, which the test takes along. */
export function emptyRoot(): RootPaths {
  const paths = rootPaths(mkdtempSync(join(tmpdir(), "ivy-root-")));
  onTestFinished(() => rmSync(paths.root, { recursive: true, force: true }));
  cpSync(join(import.meta.dirname, "../../launcher/ivy-cli.sh"), paths.launcher);
  return paths;
}

/** A tree as small as one can be. */
export function writeVersion(paths: RootPaths, version: string, ivy: object | undefined = START): string {
  const folder = versionFolder(paths, version);
  mkdirSync(join(folder, "dist"), { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ version, ivy }));
  writeFileSync(join(folder, "dist/run.js"), "export {};\n");
  symlinkSync("run.js", join(folder, "dist/a link"));
  symlinkSync("/usr/bin/env", join(folder, "runtime"));
  return folder;
}

export const START = { launcher: 1, runtime: "runtime", main: "dist/run.js", cli: "dist/cli.js" };

export function configOf(revision: number, software_version = "1.0.0") {
  return { general: { config_revision: revision, software_version } };
}

/** A sealed version with a generation. */
export async function addGeneration(
  paths: RootPaths,
  revision: number,
  version = `${revision}.0.0`,
): Promise<string> {
  await sealVersion(writeVersion(paths, version), { version, txid: "t" });
  return createGeneration(paths, {
    config: configOf(revision, version),
    version,
    trialSeconds: 300,
    upSeconds: 30,
  });
}
