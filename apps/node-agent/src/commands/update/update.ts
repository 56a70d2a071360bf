import { randomUUID } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { loadForeignConfigFromString } from "@ivy/types";
import { rootPaths, versionOfArchive } from "@ivy/updater";
import { CONFIG_FILE, GENERATION, NAME, ROOT_DIR } from "../../constants.ts";
import { submitChange } from "../submit-change.ts";

export async function update(
  archive: string,
  { config: configFile = CONFIG_FILE }: { config?: string },
): Promise<void> {
  if (GENERATION === undefined)
    throw new Error("Only a node that was set up with scripts/setup-node.sh can change its version");
  const config = loadForeignConfigFromString(readFileSync(configFile, "utf8"), configFile);
  const software_version = await versionOfArchive(archive);
  await submitChange({
    config: { ...config, general: { ...config.general, software_version } },
    archive: keepCopy(archive, rootPaths(ROOT_DIR, NAME).inbox),
  });
}

/** A stick may be pulled out at any time. */
function keepCopy(archive: string, inbox: string): string {
  const folder = join(inbox, randomUUID());
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const copy = join(folder, basename(archive));
  for (const suffix of ["", ".json", ".json.minisig", ".minisig"]) {
    if (existsSync(archive + suffix)) copyFileSync(archive + suffix, copy + suffix);
  }
  return copy;
}
