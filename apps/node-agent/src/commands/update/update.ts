import { readFileSync } from "node:fs";
import { loadForeignConfigFromString } from "@ivy/types";
import { keepArchive, rootPaths, versionOfArchive } from "@ivy/updater";
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
    archive: keepArchive(rootPaths(ROOT_DIR, NAME), archive),
  });
}
