import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { succeed } from "./commands.ts";
import type { Tarballs } from "./packages.ts";

/** How long packing and installing may take, in milliseconds: the network may be slow, and the machine busy. */
export const INSTALL_MS = 300_000;

/** A folder outside this repository, where nothing of it can be found by chance. */
export function temporaryFolder(): { folder: string } & Disposable {
  const folder = mkdtempSync(join(tmpdir(), "ivy-elsewhere-"));
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

/**
 * Installs what the `package.json` of a project names: the packages of this repository from their tarballs, wherever
 * they are asked for, everything else from the registry or the machine's store.
 */
export async function install(project: string, { byName }: Tarballs): Promise<void> {
  const overrides = [...byName].map(([name, tarball]) => `  "${name}": "file:${tarball}"`);
  const settings = [
    "packages: ['.']",
    "pmOnFail: ignore",
    "strictDepBuilds: false",
    "overrides:",
    ...overrides,
  ];
  writeFileSync(join(project, "pnpm-workspace.yaml"), `${settings.join("\n")}\n`);
  await succeed(project, "pnpm", "install", "--prefer-offline", "--no-frozen-lockfile");
}
