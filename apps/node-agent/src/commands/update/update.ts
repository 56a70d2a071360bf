import { readFileSync } from "node:fs";
import { loadForeignConfigFromString } from "@ivy/types";
import { keepArchive, rootPaths, versionOfArchive } from "@ivy/updater";
import { CONFIG_FILE, GENERATION, NAME, ROOT_DIR } from "../../constants.ts";
import { forVersion } from "../../local-change.ts";
import { submitChange } from "../submit-change.ts";

export async function update(
  archive: string,
  { config: configFile = CONFIG_FILE }: { config?: string },
): Promise<void> {
  if (GENERATION === undefined)
    throw new Error("Only a node that was set up with scripts/setup-node.sh can change its version");
  const config = loadForeignConfigFromString(readFileSync(configFile, "utf8"), configFile);
  await submitChange({
    config: forVersion(config, await versionOfArchive(archive)),
    archive: keepArchive(rootPaths(ROOT_DIR, NAME), archive),
  });
}
