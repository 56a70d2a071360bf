import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT, succeed } from "./commands.ts";

/** What of a `package.json` is looked at here. */
export interface Manifest {
  name: string;
  version: string;
  private?: boolean;
  exports: Record<string, string | Record<string, string>>;
  dependencies?: Record<string, string>;
}

/** A package that is meant to be published. */
export interface Package {
  folder: string;
  manifest: Manifest;
}

/** All packages of this repository that are meant to be published. */
export function publishedPackages(): Package[] {
  return readdirSync(join(ROOT, "packages"))
    .map((name) => join(ROOT, "packages", name))
    .map((folder) => ({ folder, manifest: readManifest(folder) }))
    .filter(({ manifest }) => manifest.private !== true);
}

export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}

/** Packed packages: the tarball of each, by its name. */
export interface Tarballs extends Disposable {
  byName: ReadonlyMap<string, string>;
}

/** Packs all packages as they would be published. */
export async function packAll(): Promise<Tarballs> {
  const folder = mkdtempSync(join(tmpdir(), "ivy-tarballs-"));
  const pack = async ({ folder: from, manifest: { name, version } }: Package): Promise<[string, string]> => {
    await succeed(from, "pnpm", "pack", "--pack-destination", folder);
    return [name, join(folder, `${name.replace("@", "").replace("/", "-")}-${version}.tgz`)];
  };
  const byName = new Map(await Promise.all(publishedPackages().map(pack)));
  return {
    byName,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
