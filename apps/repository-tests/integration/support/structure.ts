import { cpSync, globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "./commands.ts";

/** All that says how this repository is put together, and none of its code. */
const STRUCTURE = [
  "*.{json,yaml}",
  ".gitignore",
  "config/*.template.json",
  "{packages,apps,apps/examples}/*/{package,turbo,tsconfig,tsconfig.build}.json",
];

/** A copy of the structure of this repository in a temporary folder, in which tests may do as they like. */
export function copyStructure(): { folder: string } & Disposable {
  const folder = mkdtempSync(join(tmpdir(), "ivy-structure-"));
  for (const file of globSync(STRUCTURE, { cwd: ROOT })) cpSync(join(ROOT, file), join(folder, file));
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}
